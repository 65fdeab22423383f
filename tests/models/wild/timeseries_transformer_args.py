# wild: time-series transformer, configs object with seq_len, pred_len, enc_in, d_model, four forward inputs
# expect: checked
import math
import torch
import torch.nn as nn


class DataEmbedding(nn.Module):
    def __init__(self, c_in, d_model, dropout):
        super(DataEmbedding, self).__init__()
        self.value = nn.Conv1d(c_in, d_model, kernel_size=3, padding=1, padding_mode='circular', bias=False)
        self.time = nn.Linear(4, d_model, bias=False)
        pe = torch.zeros(5000, d_model).float()
        position = torch.arange(0, 5000).float().unsqueeze(1)
        div_term = (torch.arange(0, d_model, 2).float() * -(math.log(10000.0) / d_model)).exp()
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        self.register_buffer('pe', pe.unsqueeze(0))
        self.dropout = nn.Dropout(dropout)
        nn.init.kaiming_normal_(self.value.weight, mode='fan_in', nonlinearity='leaky_relu')

    def forward(self, x, x_mark):
        x = self.value(x.permute(0, 2, 1)).transpose(1, 2)
        return self.dropout(x + self.time(x_mark) + self.pe[:, :x.size(1)])


class Model(nn.Module):
    """
    x_enc: [B, seq_len, enc_in], x_mark_enc: [B, seq_len, 4] (month, day, weekday, hour)
    x_dec: [B, label_len + pred_len, dec_in]
    """

    def __init__(self, configs):
        super(Model, self).__init__()
        self.pred_len = configs.pred_len
        self.output_attention = configs.output_attention
        self.enc_embedding = DataEmbedding(configs.enc_in, configs.d_model, configs.dropout)
        self.dec_embedding = DataEmbedding(configs.dec_in, configs.d_model, configs.dropout)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(configs.d_model, configs.n_heads, configs.d_ff, configs.dropout, configs.activation, batch_first=True),
            configs.e_layers)
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(configs.d_model, configs.n_heads, configs.d_ff, configs.dropout, configs.activation, batch_first=True),
            configs.d_layers)
        self.projection = nn.Linear(configs.d_model, configs.c_out, bias=True)

    def forward(self, x_enc, x_mark_enc, x_dec, x_mark_dec, enc_self_mask=None, dec_self_mask=None):
        enc_out = self.encoder(self.enc_embedding(x_enc, x_mark_enc))
        dec_out = self.decoder(self.dec_embedding(x_dec, x_mark_dec), enc_out)
        dec_out = self.projection(dec_out)
        return dec_out[:, -self.pred_len:, :]  # [B, L, D]
