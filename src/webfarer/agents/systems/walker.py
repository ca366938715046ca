"""WebWalker: click through one site, keep notes, answer when they suffice.

Decides with the policy of the settings: the chat policy with a model, else the lexical one. Source: Wu et al.,
"WebWalker: Benchmarking LLMs in Web Traversal", ACL 2025.
"""

from webfarer.agents.systems._walking import Walking

system = Walking
