"""transformers 5: mT5 with its default configuration ties an N(0, 1) table to the head and leaves out T5's factor d_model**-0.5 (IC701).

Effect: the first loss is far above ln C. Measured on the default width and a smaller vocabulary.
"""

import math

import torch
from transformers import MT5Config, MT5ForConditionalGeneration

torch.manual_seed(0)
model = MT5ForConditionalGeneration(MT5Config(vocab_size=1000, num_layers=2, num_decoder_layers=2, decoder_start_token_id=0))
ids = torch.randint(1000, (4, 16))
output = model(input_ids=ids, labels=torch.randint(1000, (4, 16)))
print(f"tied: {model.config.tie_word_embeddings}; width {model.config.d_model}; std of the logits: {output.logits.std():.1f}")
print(f"first loss: {output.loss:.1f}, ln C: {math.log(1000):.1f}")
