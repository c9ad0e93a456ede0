"""One file a subcommand. They import Typer alone at the top; what a command works with is imported when it runs."""
