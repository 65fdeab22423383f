"""transformers 5: OneFormer keeps its input projections in a plain Python list (IC806).

Effect: where `conv_dim` differs from `hidden_dim`, their parameters are in no state_dict and no optimizer. Measured: how many convolutions of the list the model knows.
"""

from transformers import OneFormerConfig, OneFormerModel, SwinConfig

backbone = SwinConfig(embed_dim=24, depths=[1, 1, 1, 1], num_heads=[3, 6, 12, 24], out_features=["stage1", "stage2", "stage3", "stage4"])
config = OneFormerConfig(
    backbone_config=backbone, hidden_dim=64, mask_dim=32, conv_dim=64, encoder_layers=1, decoder_layers=2, text_encoder_num_layers=1
)
for conv_dim in (64, 32):
    config.conv_dim = conv_dim
    model = OneFormerModel(config)
    kept = model.transformer_module.input_projections
    held = sum(parameter.numel() for module in kept for parameter in module.parameters())
    known = sum(name.startswith("transformer_module.input_projections") for name, _ in model.named_parameters())
    print(f"conv_dim {conv_dim}, hidden_dim 64: a {type(kept).__name__} of {len(kept)} modules with {held} parameters, registered: {known}")
