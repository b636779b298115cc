"""What the notebooks import. Importing any of it starts TensorFlow without its start-up noise.

datasets      the data: loading, balanced subsets, flipped labels
plots         the figures: one visual language for every notebook
claims        sentences that the page checks
repeats       the same training under several seeds
comparisons   two arms, seed against seed; which of several fixes did it
meters        a number for each named problem: drift, ablation, size of weights, wrong labels learnt
checkup       all of that on a network of your own, in one call
checks        exercises that check themselves

Each package shows its public names in `__init__`. What begins with an underscore is its inside, and
`_shared` is what several of them rest on: no notebook imports these.
"""

from utils._shared.output import let_output_show_all
from utils._shared.quiet import start_tensorflow_quietly

let_output_show_all()
start_tensorflow_quietly()
