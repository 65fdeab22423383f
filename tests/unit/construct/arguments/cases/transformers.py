"""Attention models and models that take a configuration."""

import copy
import dataclasses
import enum
import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

EXPRESSIONS = """GPT(...)
GPTPlain(...)
BertModel(...)
NestedModel(...)
DictModel(...)
KeywordModel(...)
ViT(...)
TransformerModel(...)
AnnotatedEncoder(...)
EncoderDecoder(...)
MultiHeadAttention(...)
HeadsGiven(100, ...)
Llama(ModelArgs(n_layers=2))
Llama(args)
Typed(...)
PositionalEncoding(...)
Translator(...)
build_model(args)
Block(...)
""".splitlines()


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.register_buffer("mask", torch.tril(torch.ones(config.block_size, config.block_size)))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(config.n_embd, 4 * config.n_embd), "dropout": nn.Dropout(config.resid_pdrop)})


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config.vocab_size is not None
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "h": nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
            }
        )
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * config.n_layer))


@dataclasses.dataclass
class PlainConfig:
    vocab: int
    hidden_width: int = 96
    depth: int = 2


class GPTPlain(nn.Module):
    def __init__(self, config: PlainConfig):
        super().__init__()
        self.emb = nn.Embedding(config.vocab, config.hidden_width)
        self.layers = nn.ModuleList(nn.Linear(config.hidden_width, config.hidden_width) for _ in range(config.depth))


ACT2FN = {"gelu": nn.functional.gelu, "relu": nn.functional.relu}


class BertModel(nn.Module):
    def __init__(self, config, add_pooling_layer=True):
        super().__init__()
        if config.hidden_size % config.num_attention_heads != 0 and not hasattr(config, "embedding_size"):
            raise ValueError("The hidden size is not a multiple of the number of attention heads")
        self.emb = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.pos = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.ln = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.position_embedding_type = getattr(config, "position_embedding_type", "absolute")
        if isinstance(config.hidden_act, str):
            self.act = ACT2FN[config.hidden_act]
        else:
            self.act = config.hidden_act
        self.ff = nn.Linear(config.hidden_size, config.intermediate_size)
        other = copy.deepcopy(config)
        other.is_decoder = True
        self.dropout = nn.Dropout(other.hidden_dropout_prob)


class NestedModel(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(cfg.data.input_dim, cfg.model.hidden), nn.ReLU(), nn.Dropout(cfg.model.dropout))
        self.head = nn.Linear(cfg.model.hidden, cfg.data.num_classes)
        self.sizes = nn.ModuleList(nn.Linear(size, size) for size in cfg.model.layer_sizes)


class DictModel(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.fc = nn.Linear(args["input_dim"], args["hidden"]["size"])
        self.drop = nn.Dropout(args.get("dropout", 0.3))
        self.act = nn.Tanh() if "tanh" in args else nn.ReLU()


class KeywordModel(nn.Module):
    def __init__(self, name, **kwargs):
        super().__init__()
        self.fc = nn.Linear(kwargs["in_dim"], kwargs["out_dim"])
        self.p = kwargs.get("p", 0.2)


def pair(t):
    return t if isinstance(t, tuple) else (t, t)


class ViT(nn.Module):
    def __init__(self, *, image_size, patch_size, num_classes, dim, depth, heads, mlp_dim, pool="cls", channels=3, dim_head=64):
        super().__init__()
        image_height, image_width = pair(image_size)
        patch_height, patch_width = pair(patch_size)
        assert image_height % patch_height == 0 and image_width % patch_width == 0, "Image dimensions must be divisible by the patch size."
        num_patches = (image_height // patch_height) * (image_width // patch_width)
        assert pool in {"cls", "mean"}, "pool type must be either cls (cls token) or mean (mean pooling)"
        self.to_patch = nn.Linear(channels * patch_height * patch_width, dim)
        self.pos_embedding = nn.Parameter(torch.randn(1, num_patches + 1, dim))
        self.layers = nn.ModuleList([nn.Linear(dim, mlp_dim) for _ in range(depth)])
        self.qkv = nn.Linear(dim, dim_head * heads * 3, bias=False)


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=5000):
        super().__init__()
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.float).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)
        self.scale = nn.Parameter(torch.ones(1))


class TransformerModel(nn.Module):
    def __init__(self, ntoken, ninp, nhead, nhid, nlayers, dropout=0.5):
        super().__init__()
        self.pos_encoder = PositionalEncoding(ninp, dropout)
        encoder_layers = nn.TransformerEncoderLayer(ninp, nhead, nhid, dropout)
        self.transformer_encoder = nn.TransformerEncoder(encoder_layers, nlayers, enable_nested_tensor=False)
        self.encoder = nn.Embedding(ntoken, ninp)


def clones(module, N):
    return nn.ModuleList([copy.deepcopy(module) for _ in range(N)])


class MultiHeadAttention(nn.Module):
    def __init__(self, h, d_model):
        super().__init__()
        assert d_model % h == 0
        self.d_k = d_model // h
        self.linears = clones(nn.Linear(d_model, d_model), 4)


class HeadsGiven(nn.Module):
    def __init__(self, embed_dim, num_heads):
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError("embed_dim must be divisible by num_heads")
        self.q = nn.Linear(embed_dim, embed_dim)


class PositionwiseFeedForward(nn.Module):
    def __init__(self, d_model, d_ff, dropout=0.1):
        super().__init__()
        self.w_1 = nn.Linear(d_model, d_ff)


class AnnotatedLayer(nn.Module):
    def __init__(self, size, self_attn, feed_forward, dropout):
        super().__init__()
        self.self_attn = self_attn
        self.feed_forward = feed_forward
        self.size = size


class AnnotatedEncoder(nn.Module):
    def __init__(self, layer, N):
        super().__init__()
        self.layers = clones(layer, N)
        self.norm = nn.LayerNorm(layer.size)


class EncoderDecoder(nn.Module):
    def __init__(self, encoder, decoder, src_embed, tgt_embed, generator):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.src_embed, self.tgt_embed, self.generator = src_embed, tgt_embed, generator

    def forward(self, src, tgt):
        return self.decoder(self.tgt_embed(tgt), self.encoder(self.src_embed(src)))


@dataclasses.dataclass
class ModelArgs:
    dim: int = 128
    n_layers: int = 4
    n_heads: int = 4
    vocab_size: int = -1
    multiple_of: int = 32


class Llama(nn.Module):
    def __init__(self, params: ModelArgs):
        super().__init__()
        hidden = params.multiple_of * ((4 * params.dim + params.multiple_of - 1) // params.multiple_of)
        self.layers = nn.ModuleList(nn.Linear(params.dim, hidden) for _ in range(params.n_layers))


class Pooling(enum.Enum):
    MEAN = "mean"
    MAX = "max"


class Typed(nn.Module):
    def __init__(
        self,
        sizes: list[int],
        kernel: tuple[int, int],
        norm: type[nn.Module],
        act: Callable[..., nn.Module],
        pooling: Pooling,
        mode: Literal["same", "valid"],
        rate: float,
        maybe: int | None,
        either: str | int,
        flag: bool,
    ):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(one, two) for one, two in zip(sizes, sizes[1:]))
        self.conv = nn.Conv2d(3, 64, kernel, padding=mode)
        self.norm, self.act, self.rate = norm(64), act(), rate
        self.pooling = Pooling(pooling)


class Translator(nn.Module):
    def __init__(
        self, num_encoder_layers: int, emb_size: int, nhead: int, src_vocab_size: int, tgt_vocab_size: int, dim_feedforward: int = 512
    ):
        super().__init__()
        self.transformer = nn.Transformer(emb_size, nhead, num_encoder_layers, num_encoder_layers, dim_feedforward, batch_first=True)
        self.src, self.tgt = nn.Embedding(src_vocab_size, emb_size), nn.Embedding(tgt_vocab_size, emb_size)


def build_model(args):
    if args.model == "transformer":
        return TransformerModel(args.ntoken, args.ninp, args.nhead, args.nhid, args.nlayers)
    if args.model == "gpt":
        return GPT(args)
    raise ValueError(f"unknown model {args.model}")
