"""Helpers of the course. Importing any of them starts TensorFlow without its start-up noise.

datasets      the images: loading, balanced subsets, flipped labels
plots         the figures: one visual language for every notebook
claims        sentences that the page checks
repeats       the same training under several seeds
comparisons   two arms, seed against seed
meters        one number for each problem

What these rest on: quiet (start-up), seeding (what a seed decides), compiled (the training loop),
progress (the line that says how far it is).
"""

from utils.quiet import start_tensorflow_quietly

start_tensorflow_quietly()
