# wild: BERT from scratch with token_type_ids and attention_mask, kwargs config from json
# expect: checked
# parameters: 2194994
# fault: IC304
import copy
import json
import math
import six
import torch
from torch import nn
from torch.nn import CrossEntropyLoss


def gelu(x):
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


class BertConfig(object):
    """Configuration class to store the configuration of a `BertModel`."""

    def __init__(self, vocab_size=8000, hidden_size=144, num_hidden_layers=4, num_attention_heads=4, intermediate_size=576,
                 hidden_dropout_prob=0.1, max_position_embeddings=128, type_vocab_size=2, initializer_range=0.02):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_dropout_prob = hidden_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range

    @classmethod
    def from_json_file(cls, json_file):
        with open(json_file, "r") as reader:
            values = json.loads(reader.read())
        config = cls()
        for (key, value) in six.iteritems(values):
            config.__dict__[key] = value
        return config


class Layer(nn.Module):
    def __init__(self, c):
        super(Layer, self).__init__()
        self.attn = nn.MultiheadAttention(c.hidden_size, c.num_attention_heads, dropout=c.hidden_dropout_prob, batch_first=True)
        self.norm1 = nn.LayerNorm(c.hidden_size, eps=1e-12)
        self.inter = nn.Linear(c.hidden_size, c.intermediate_size)
        self.out = nn.Linear(c.intermediate_size, c.hidden_size)
        self.norm2 = nn.LayerNorm(c.hidden_size, eps=1e-12)

    def forward(self, x, pad):
        x = self.norm1(x + self.attn(x, x, x, key_padding_mask=pad, need_weights=False)[0])
        return self.norm2(x + self.out(gelu(self.inter(x))))


class BertForSequenceClassification(nn.Module):
    def __init__(self, config, num_labels=2):
        super(BertForSequenceClassification, self).__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=1e-12)
        layer = Layer(config)
        self.layer = nn.ModuleList([copy.deepcopy(layer) for _ in range(config.num_hidden_layers)])
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, num_labels)
        self.num_labels = num_labels
        self.apply(self.init_bert_weights)

    def init_bert_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(mean=0.0, std=self.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.data.zero_()

    def forward(self, input_ids, token_type_ids=None, attention_mask=None, labels=None):
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        pos = torch.arange(input_ids.size(1), dtype=torch.long, device=input_ids.device)
        pos = pos.unsqueeze(0).expand_as(input_ids)
        x = self.norm(self.word_embeddings(input_ids) + self.position_embeddings(pos) + self.token_type_embeddings(token_type_ids))
        for layer in self.layer:
            x = layer(x, attention_mask == 0)
        logits = self.classifier(self.dropout(torch.tanh(self.pooler(x[:, 0]))))
        if labels is not None:
            return CrossEntropyLoss()(logits.view(-1, self.num_labels), labels.view(-1))
        return logits
