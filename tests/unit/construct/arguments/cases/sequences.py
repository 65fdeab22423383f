"""Recurrent models, translation, tagging."""

import torch
import torch.nn as nn

EXPRESSIONS = """LSTMTagger(...)
BiLSTM_CRF(...)
Seq2Seq(...)
Seq2Seq(Encoder(..., 256, 512, 2, 0.5), Decoder(...), 'cpu')
AttnSeq2Seq(...)
RNNModel(...)
CharRNN(...)
TextSentiment(...)
LSTMClassifier(...)
GRUNet(...)
LSTMForecaster(...)
AttnDecoderRNN(...)
EncoderCNN(...)
DecoderWithAttention(...)
Captioner(Captioner.default_vocab, ...)
SkipGram(...)
NCF(...)
MatrixFactorization(...)
DeepSpeech(...)
CRNN(...)
Memory(...)
""".splitlines()

START_TAG = "<START>"
STOP_TAG = "<STOP>"


class LSTMTagger(nn.Module):
    def __init__(self, embedding_dim, hidden_dim, vocab_size, tagset_size):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim)
        self.hidden2tag = nn.Linear(hidden_dim, tagset_size)


class BiLSTM_CRF(nn.Module):
    def __init__(self, vocab_size, tag_to_ix, embedding_dim, hidden_dim):
        super().__init__()
        self.tag_to_ix = tag_to_ix
        self.tagset_size = len(tag_to_ix)
        self.word_embeds = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim // 2, num_layers=1, bidirectional=True)
        self.hidden2tag = nn.Linear(hidden_dim, self.tagset_size)
        self.transitions = nn.Parameter(torch.randn(self.tagset_size, self.tagset_size))
        self.transitions.data[tag_to_ix[START_TAG], :] = -10000
        self.transitions.data[:, tag_to_ix[STOP_TAG]] = -10000


class Encoder(nn.Module):
    def __init__(self, input_dim, emb_dim, hid_dim, n_layers, dropout):
        super().__init__()
        self.hid_dim = hid_dim
        self.n_layers = n_layers
        self.embedding = nn.Embedding(input_dim, emb_dim)
        self.rnn = nn.LSTM(emb_dim, hid_dim, n_layers, dropout=dropout)


class Decoder(nn.Module):
    def __init__(self, output_dim, emb_dim, hid_dim, n_layers, dropout):
        super().__init__()
        self.output_dim = output_dim
        self.hid_dim = hid_dim
        self.n_layers = n_layers
        self.embedding = nn.Embedding(output_dim, emb_dim)
        self.rnn = nn.LSTM(emb_dim, hid_dim, n_layers, dropout=dropout)
        self.fc_out = nn.Linear(hid_dim, output_dim)


class Seq2Seq(nn.Module):
    def __init__(self, encoder, decoder, device):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.device = device
        assert encoder.hid_dim == decoder.hid_dim, "Hidden dimensions of encoder and decoder must be equal!"
        assert encoder.n_layers == decoder.n_layers, "Encoder and decoder must have equal number of layers!"

    def forward(self, src, trg):
        hidden, cell = self.encoder(src)
        return self.decoder(trg[0], hidden, cell)


class Attention(nn.Module):
    def __init__(self, enc_hid_dim, dec_hid_dim):
        super().__init__()
        self.attn = nn.Linear((enc_hid_dim * 2) + dec_hid_dim, dec_hid_dim)


class AttnDecoder(nn.Module):
    def __init__(self, output_dim, emb_dim, enc_hid_dim, dec_hid_dim, dropout, attention):
        super().__init__()
        self.attention = attention
        self.rnn = nn.GRU((enc_hid_dim * 2) + emb_dim, dec_hid_dim)
        self.fc_out = nn.Linear(dec_hid_dim, output_dim)

    def forward(self, x, h, enc):
        return self.attention(h, enc)


class AttnSeq2Seq(nn.Module):
    def __init__(self, encoder: Encoder, attn_decoder: AttnDecoder, src_pad_idx, device):
        super().__init__()
        self.encoder, self.decoder = encoder, attn_decoder
        self.src_pad_idx = src_pad_idx


class RNNModel(nn.Module):
    def __init__(self, rnn_type, ntoken, ninp, nhid, nlayers, dropout=0.5, tie_weights=False):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, ninp)
        if rnn_type in ["LSTM", "GRU"]:
            self.rnn = getattr(nn, rnn_type)(ninp, nhid, nlayers, dropout=dropout)
        else:
            try:
                nonlinearity = {"RNN_TANH": "tanh", "RNN_RELU": "relu"}[rnn_type]
            except KeyError as e:
                raise ValueError("An invalid option for `--model` was supplied") from e
            self.rnn = nn.RNN(ninp, nhid, nlayers, nonlinearity=nonlinearity, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)


class CharRNN(nn.Module):
    def __init__(self, tokens, n_hidden=256, n_layers=2, drop_prob=0.5):
        super().__init__()
        self.chars = tokens
        self.int2char = dict(enumerate(self.chars))
        self.char2int = {ch: ii for ii, ch in self.int2char.items()}
        self.lstm = nn.LSTM(len(self.chars), n_hidden, n_layers, dropout=drop_prob, batch_first=True)
        self.fc = nn.Linear(n_hidden, len(self.chars))


class TextSentiment(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, sparse=True)
        self.fc = nn.Linear(embed_dim, num_class)


class LSTMClassifier(nn.Module):
    def __init__(self, batch_size, output_size, hidden_size, vocab_size, embedding_length, weights):
        super().__init__()
        self.batch_size = batch_size
        self.word_embeddings = nn.Embedding(vocab_size, embedding_length)
        self.word_embeddings.weight = nn.Parameter(weights, requires_grad=False)
        self.lstm = nn.LSTM(embedding_length, hidden_size)
        self.label = nn.Linear(hidden_size, output_size)


class GRUNet(nn.Module):
    def __init__(self, input_dim, hidden_dim, output_dim, n_layers, drop_prob=0.2):
        super().__init__()
        self.gru = nn.GRU(input_dim, hidden_dim, n_layers, batch_first=True, dropout=drop_prob)
        self.fc = nn.Linear(hidden_dim, output_dim)


class LSTMForecaster(nn.Module):
    def __init__(self, n_features, n_hidden, seq_len, n_layers, bidirectional):
        super().__init__()
        self.lstm = nn.LSTM(input_size=n_features, hidden_size=n_hidden, num_layers=n_layers, bidirectional=bidirectional)
        self.linear = nn.Linear(n_hidden * (2 if bidirectional else 1) * seq_len, 1)


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size, dropout_p, max_length):
        super().__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attn = nn.Linear(hidden_size * 2, max_length)
        self.out = nn.Linear(hidden_size, output_size)


class EncoderCNN(nn.Module):
    def __init__(self, encoded_image_size, embed_size):
        super().__init__()
        self.adaptive_pool = nn.AdaptiveAvgPool2d((encoded_image_size, encoded_image_size))
        self.linear = nn.Linear(2048, embed_size)


class DecoderWithAttention(nn.Module):
    def __init__(self, attention_dim, embed_dim, decoder_dim, vocab_size, encoder_dim=2048, dropout=0.5):
        super().__init__()
        self.attention = nn.Linear(encoder_dim, attention_dim)
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.decode_step = nn.LSTMCell(embed_dim + encoder_dim, decoder_dim, bias=True)


class Captioner(nn.Module):
    default_vocab = 500

    def __init__(self, vocab, idx2word, feat_dim):
        super().__init__()
        self.embed = nn.Embedding(vocab, 128)
        self.words = [idx2word[i] for i in range(3)]
        self.fc = nn.Linear(feat_dim, len(idx2word))


class SkipGram(nn.Module):
    def __init__(self, n_vocab, n_embed, noise_dist=None):
        super().__init__()
        self.in_embed = nn.Embedding(n_vocab, n_embed)
        self.out_embed = nn.Embedding(n_vocab, n_embed)


class NCF(nn.Module):
    def __init__(self, user_num, item_num, factor_num, num_layers, dropout, model, GMF_model=None, MLP_model=None):
        super().__init__()
        self.model = model
        self.embed_user_GMF = nn.Embedding(user_num, factor_num)
        self.embed_user_MLP = nn.Embedding(user_num, factor_num * (2 ** (num_layers - 1)))
        layers = []
        for i in range(num_layers):
            input_size = factor_num * (2 ** (num_layers - i))
            layers += [nn.Dropout(p=dropout), nn.Linear(input_size, input_size // 2), nn.ReLU()]
        self.MLP_layers = nn.Sequential(*layers)
        predict_size = factor_num if self.model in ["MLP", "GMF"] else factor_num * 2
        self.predict_layer = nn.Linear(predict_size, 1)
        if not self.model == "NeuMF-pre":
            nn.init.normal_(self.embed_user_GMF.weight, std=0.01)
        else:
            self.embed_user_GMF.weight.data.copy_(GMF_model.embed_user_GMF.weight)


class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user = nn.Embedding(n_users, n_factors)
        self.item = nn.Embedding(n_items, n_factors)


class DeepSpeech(nn.Module):
    def __init__(self, rnn_type, labels, rnn_hidden_size, nb_layers, audio_conf, bidirectional):
        super().__init__()
        sample_rate = audio_conf["sample_rate"]
        window_size = audio_conf["window_size"]
        num_classes = len(labels)
        rnn_input_size = int((sample_rate * window_size) // 2 + 1)
        self.rnn = rnn_type(rnn_input_size, rnn_hidden_size, bidirectional=bidirectional)
        self.fc = nn.Linear(rnn_hidden_size, num_classes)


class CRNN(nn.Module):
    def __init__(self, imgH, nc, nclass, nh):
        super().__init__()
        assert imgH % 16 == 0, "imgH has to be a multiple of 16"
        self.cnn = nn.Conv2d(nc, 64, 3)
        self.rnn = nn.LSTM(512, nh, bidirectional=True)
        self.out = nn.Linear(nh * 2, nclass)


class Memory(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.max_hops = settings["max_hops"]
        for hop in range(self.max_hops + 1):
            self.add_module(f"C_{hop}", nn.Embedding(settings["num_vocab"], settings["embedding_dim"], padding_idx=0))
        self.temporal = nn.Parameter(torch.Tensor(1, settings["sentence_size"], settings["embedding_dim"]).normal_(0, 0.1))
