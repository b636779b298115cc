"""Helpers of the course. Importing any of them starts TensorFlow without its start-up noise.

datasets      the images: loading, balanced subsets, flipped labels
plots         the figures: one visual language for every notebook
claims        sentences that the page checks
repeats       the same training under several seeds
comparisons   two arms, seed against seed
factorial     which of several fixes did it
meters        drift: how far a layer's outputs wander
silencing     what is left when units go silent
weights       how large they are, and what was learnt by heart
checks        exercises that check themselves

What these rest on: quiet (start-up), seeding (what a seed decides), compiled (the training loop),
progress (the line that says how far it is).
"""

from utils.quiet import start_tensorflow_quietly

start_tensorflow_quietly()
