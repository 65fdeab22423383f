"""The zoo: public models, freshly initialized, that initcheck must be silent about unless they are really wrong.

`python -m benchmarks.zoo -o zoo.jsonl` checks every torchvision model and every transformers architecture for which a tiny
configuration can be made; `python -m benchmarks.zoo --report zoo.jsonl` merges the results with the human verdicts in `benchmarks/zoo_findings.toml`.
"""
