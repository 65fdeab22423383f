# wild: vocabulary size from a transformers tokenizer that would be downloaded
# expect: checked
import os

import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from transformers import AutoTokenizer, get_linear_schedule_with_warmup

os.environ["TOKENIZERS_PARALLELISM"] = "false"
MODEL_NAME = "distilbert-base-multilingual-cased"
tokenizer = AutoTokenizer.from_pretrained(MODEL_NAME)
tokenizer.add_special_tokens({"additional_special_tokens": ["<user>", "<url>"]})

MAX_LEN = 128
LABELS = ["anger", "joy", "optimism", "sadness"]


class EmotionRNN(nn.Module):
    def __init__(self, vocab_size, pad_id, dim=100, hidden=128, n_labels=len(LABELS)):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=pad_id)
        self.rnn = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.score = nn.Linear(2 * hidden, 1)
        self.out = nn.Linear(2 * hidden, n_labels)

    def forward(self, input_ids, attention_mask):
        h, _ = self.rnn(self.embedding(input_ids))
        s = self.score(h).squeeze(-1).masked_fill(attention_mask == 0, -1e9)
        return self.out((s.softmax(-1).unsqueeze(-1) * h).sum(1))


def collate(rows):
    enc = tokenizer([r["text"] for r in rows], padding=True, truncation=True, max_length=MAX_LEN, return_tensors="pt")
    return enc["input_ids"], enc["attention_mask"], torch.tensor([LABELS.index(r["label"]) for r in rows])


model = EmotionRNN(len(tokenizer), tokenizer.pad_token_id)
if __name__ == "__main__":
    from datasets import load_dataset
    loader = DataLoader(load_dataset("tweet_eval", "emotion")["train"], 32, collate_fn=collate)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = get_linear_schedule_with_warmup(optimizer, 100, 1000)
    for ids, mask, y in loader:
        nn.functional.cross_entropy(model(ids, mask), y).backward()
        optimizer.step()
        schedule.step()
