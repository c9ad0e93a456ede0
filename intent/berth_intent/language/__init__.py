"""How a hint is read: letters, words, names and amounts, clauses, and what the clauses wish.

normalise   one spelling for looking words up, with the way back to the text
tokens      the text in words, numbers and signs
lexicon/    the words of each language and what kind each is; data
names       the cluster's names, and names that look like a cloud's
items       tokens become items: words of the lexicon, names, amounts
clauses     where one wish ends and the next begins
moods       how strongly each is meant, and what it inherits
no_need, statements, descriptions   what wishes nothing
grammar     from a clause to preferences
"""
