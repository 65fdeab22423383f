"""What two shapes tell about why they differ."""

import pytest

from initcheck.matching.shapes import why


@pytest.mark.parametrize(
    ("name", "stored", "own", "words"),
    [
        ("fc.weight", (1000, 512), (10, 512), "1,000 classes in the file, 10 in the model"),
        ("fc.bias", (1000,), (10,), "1,000 classes"),
        ("heads.head.weight", (1000, 768), (5, 768), "1,000 classes"),
        ("bert.embeddings.word_embeddings.weight", (30522, 64), (30524, 64), "a vocabulary of 30,522 in the file, of 30,524 in the model"),
        ("transformer.wte.weight", (50257, 64), (50304, 64), "copy the 50,257 common rows"),
        ("encoder.pos_embedding", (1, 197, 768), (1, 577, 768), "positions of a 14×14 grid and 1 more in the file, of 24×24"),
        ("embeddings.position_embeddings.weight", (512, 64), (1024, 64), "512 positions in the file, 1,024 in the model: interpolate"),
        ("conv1.weight", (64, 3, 7, 7), (64, 1, 7, 7), "sum the kernel"),
        ("conv1.weight", (64, 1, 7, 7), (64, 3, 7, 7), "divide it by 3"),
        ("patch_embed.proj.weight", (768, 3, 16, 16), (768, 3, 32, 32), "patches of 16×16 in the file, 32×32 in the model"),
        ("h.0.attn.c_attn.weight", (64, 192), (192, 64), "transposed"),
        ("proj.weight", (8, 4), (2, 16), "same number of elements"),
        ("layer.0.weight", (32, 16), (64, 16), "32 units in the file, 64"),
    ],
)
def test_explanations(name, stored, own, words):
    assert words in why(name, stored, own)


def test_equal_shapes_need_none():
    assert why("fc.weight", (10, 5), (10, 5)) == ""


def test_what_is_not_understood_is_not_explained():
    assert why("x", (2, 3, 5), (7, 11, 13, 17)) == ""
