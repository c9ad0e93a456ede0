"""The words that hints are made of, a file a language, declared as data and compiled once."""
