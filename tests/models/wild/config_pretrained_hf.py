# wild: Hugging Face PretrainedConfig subclass and PreTrainedModel
# expect: checked
# parameters: 1392204
import torch
import torch.nn as nn
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput


class ProteinConfig(PretrainedConfig):
    model_type = "tiny_protein"

    def __init__(self, vocab_size=30, hidden_size=192, num_hidden_layers=3, num_attention_heads=6,
                 max_position_embeddings=256, initializer_range=0.02, pad_token_id=0, **kwargs):
        super().__init__(pad_token_id=pad_token_id, **kwargs)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.max_position_embeddings = max_position_embeddings
        self.initializer_range = initializer_range


class ProteinPreTrainedModel(PreTrainedModel):
    config_class = ProteinConfig
    base_model_prefix = "protein"

    def _init_weights(self, module):
        std = self.config.initializer_range
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(mean=0.0, std=std)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.data.zero_()


class ProteinForFamily(ProteinPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        layer = nn.TransformerEncoderLayer(config.hidden_size, config.num_attention_heads, 4 * config.hidden_size,
                                           activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, config.num_hidden_layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, labels=None):
        pos = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = self.embed(input_ids) + self.position(pos)[None]
        pad = None if attention_mask is None else attention_mask == 0
        hidden = self.norm(self.encoder(hidden, src_key_padding_mask=pad))
        logits = self.classifier(hidden[:, 0])
        loss = None
        if labels is not None:
            loss = nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


if __name__ == "__main__":
    from datasets import load_from_disk

    config = ProteinConfig(num_labels=12)
    model = ProteinForFamily(config)
    training_args = TrainingArguments(output_dir="out", per_device_train_batch_size=32, num_train_epochs=3)
    Trainer(model=model, args=training_args, train_dataset=load_from_disk("pfam")["train"]).train()
