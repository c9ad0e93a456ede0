"""How a hint is read: letters, words, names and amounts, clauses, and what the clauses wish.

normalise   one spelling for looking words up, with the way back to the text
tokens      the text in words, numbers and signs
lexicon/    the words of each language and what kind each is; data
names       the cluster's names, and names that look like a cloud's
items       tokens become items: words of the lexicon, names, amounts
clauses     where a wish ends, what it inherits, what speaks of no wish
grammar     from a clause to preferences
"""
