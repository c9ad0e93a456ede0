"""What the documentation is made with: pages from schemas and code (`reference`), pictures, the static site's hooks."""
