"""Engine tests run on one thread: tiny matrices gain nothing from two, and sums keep their order."""

import torch

torch.set_num_threads(1)
