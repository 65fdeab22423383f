"""Common names of constructor parameters, and the values that fit them, best first.

Sizes are small but wide enough for statistics, and fit one another: 4 heads of 32 make a width of 128, patches of 4 divide an image of 32.
"""

from __future__ import annotations

import re
from typing import Any

_ROWS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("in_channels", """
        in_channels in_ch in_chans channels n_channels num_channels nc input_channels input_channel input_nc in_nc in_c c_in cin ch_in
        img_channels image_channels channels_img n_colors in_channel num_input_channels channels_in input_ch img_ch im_chan nchannels
        n_input_channels chan_in image_channel""", (3, 1, 64)),
    ("block_in", "inp inplanes in_planes in_filters nin channel n_feat n_feats num_feat in_feat x_channels", (64, 3)),
    ("block_out", """
        out_channels out_ch planes oup out_planes out_channel nf outplanes c_out cout ch_out filters num_filters n_filters ngf ndf base
        base_channels base_width base_c start_channels conv_dim init_features init_channels nef df_dim gf_dim growth nfeat_out dim_out
        filter_num num_init_features stem_channels F_g F_l F_int mid_channels hidden_channels out_filters nout n_out_channels
        channels_out inner_channels intermediate_channels wf_channels feature_channels squeeze_channels bottleneck_channels ch1x1 ch3x3
        ch5x5 pool_proj ch3x3red ch5x5red red_3x3 red_5x5 num_out_filters out_1x1 out_3x3 out_5x5 out_1x1pool features_d features_g
        features_gen features_disc""", (64, 16)),
    ("out_channels_image", "out_chans output_nc out_nc output_channels output_ch", (3, 1)),
    ("classes", """
        num_classes n_classes classes num_class nclass n_class nb_classes nclasses classes_num class_num out_dim output_dim output_size
        n_out out_features num_labels n_labels label_size tagset_size n_tags num_tags n_output n_outputs num_outputs target_size
        output_features num_output out_size outputs output_units noutput n_categories nb_class output_channel num_targets class_number
        num_answers nlabels""", (10, 2)),
    ("actions", """
        num_actions action_dim n_actions action_size n_action action_num nb_actions act_dim outputs_dim max_action_dim""", (4, 2)),
    ("features", """
        input_size input_dim in_features in_dim n_in feature_dim state_dim obs_dim n_states state_size num_inputs n_inputs n_input
        input_features n_features num_features feature_size nfeat nfeats in_feats num_node_features input_units obs_size n_observations
        observation_dim feat_dim input_shape_flat node_dim edge_dim d_in enc_in dec_in input_length ninput visual_dim img_dim""", (64, 32, 784)),
    ("width", """
        hidden_size hidden_dim hid_dim n_hidden d_model embed_dim emb_dim n_embd dim width embedding_dim embedding_size embed_size
        emb_size hidden n_hid ninp nhid hidden_units model_dim dim_model hidden_features num_hidden hiddens hid h_dim rnn_size
        rnn_hidden_size lstm_hidden_size word_embed_size enc_hid_dim dec_hid_dim encoder_dim decoder_dim attention_dim attn_dim d_embed
        emb embed n_embed h_size num_hiddens hid_size nhidden embedding_length n_units num_units units dmodel channels_last n_emb
        d_hidden hidden_layer_size feature_map memory_size query_dim key_dim value_dim context_dim cond_dim time_emb_dim time_dim
        t_emb_dim projection_dim proj_dim mid_dim cell_size size features n_state n_factors num_factors embedding_features nb_features
        out_feats fc_units fc1_units fc2_units fc1_dims fc2_dims d_state dim_in wte_dim hidden_sz""", (128, 64, 256)),
    ("inner", """
        d_ff dim_feedforward mlp_dim ffn_dim intermediate_size inner_dim n_inner d_inner d_hid ff_dim pf_dim dff ff_hidden ffn_hidden
        ffn_hidden_size hidden_mlp mlp_hidden_dim d_inner_hid feedforward_dim ff_size forward_dim mlp_size ffn_embed_dim dim_ff d_mlp""", (256, 128, 512)),
    ("head_dim", "head_dim dim_head d_k d_v d_kv d_head head_size dk dv key_size d_key d_value heads_dim", (32, 64)),
    ("latent", """
        latent_dim z_dim nz latent_size zdim noise_dim code_dim z_size z_channels bottleneck latent code_size n_latent nlatent""", (64, 32)),
    ("heads", """
        n_head n_heads num_heads heads nhead nheads num_attention_heads h attention_heads num_head enc_heads dec_heads head attn_heads
        n_attention_heads num_attn_heads num_key_value_heads n_kv_heads""", (4, 8, 2, 1, 3, 5)),
    ("vocabulary", """
        vocab_size ntoken n_vocab num_tokens src_vocab_size tgt_vocab_size trg_vocab_size num_embeddings n_users n_items num_users
        num_items src_vocab tgt_vocab ntokens vocabulary_size n_tokens voc_size n_words vocab_len dict_size dictionary_size src_vocab_sz
        input_vocab_size output_vocab_size n_src_vocab n_trg_vocab num_words word_size vocab_sz n_word enc_voc_size dec_voc_size
        num_entities num_nodes n_entities num_movies user_num item_num num_vocab src_size tgt_size nvocab entity_num n_nodes emb_num
        vocabs field_dim""", (1000, 100)),
    ("few", """
        num_relations n_relations num_rels char_vocab_size n_chars num_chars alphabet_size type_vocab_size n_characters num_types""", (50, 10)),
    ("index", """
        padding_idx pad_idx src_pad_idx trg_pad_idx tgt_pad_idx pad pad_id pad_token_id idx index layer_id layer_idx block_index""", (0, 1)),
    ("index", "sos_token sos_id bos_token_id bos_id sos_idx go_id start_idx trg_sos_idx", (1, 0)),
    ("index", "eos_token eos_id eos_token_id eos_idx unk_idx unk_id end_idx trg_eos_idx", (2, 1)),
    ("length", """
        max_len block_size seq_len context_length max_position_embeddings ctx_len window max_seq_len seq_length max_length n_positions
        n_ctx sequence_length max_seq_length context_size num_patches window_size length context_window seqlen src_len tgt_len
        max_positions sentence_length input_len num_positions block_len maxlen pred_len label_len horizon lookback n_steps time_steps
        timesteps num_steps output_len""", (64, 16, 128)),
    ("times", "num_timesteps n_timesteps diffusion_steps noise_steps num_diffusion_steps", (100, 10)),
    ("probability", """
        dropout p drop_prob dropout_rate dropout_p drop drop_rate dropout_prob dropout_ratio attn_pdrop resid_pdrop embd_pdrop attn_drop
        proj_drop drop_path emb_dropout embedding_dropout hidden_dropout_prob attention_probs_dropout_prob dropout_keep_prob keep_prob
        attention_dropout drop_path_rate droprate stochastic_depth_prob drop_p input_dropout pdrop""", (0.1, 0.5, 0.0)),
    ("layers", """
        num_layers depth n_layers layers blocks nlayers n_layer num_layer num_blocks n_blocks num_hidden_layers enc_layers dec_layers
        num_encoder_layers num_decoder_layers e_layers d_layers n_res_blocks num_res_blocks n_residual_layers num_residual_layers
        res_blocks rnn_layers lstm_layers n_downsampling n_downsample depths nblocks layer_num block_num n_block num_stages stages
        nb_layers num_repeats repeats n_rnn_layers lstm_layer_num num_convs n_hidden_layers num_units_per_block n num_resblocks
        n_resblocks n_conv""", (2, 3, 4, 10, 18, 50, 1)),
    ("kernel", "kernel_size kernel ks kernel_sz k_size kern filter_size filter_sz conv_kernel_size ker_size", (3, 5, 1)),
    ("stride", "stride strides dilation groups num_groups cardinality n_directions num_directions s bn_size", (1, 2, 4)),
    ("padding", "padding output_padding pad_size padd", (1, 0)),
    ("reduction", "reduction reduction_ratio r se_ratio squeeze_factor sr_ratio rd_ratio", (16, 4, 2)),
    ("growth", "growth_rate k growthrate num_grow_ch gc growth_channels", (32, 12)),
    ("expansion", "mlp_ratio expansion_factor expand_ratio ff_mult expansion t exp_ratio expand mult", (4, 2, 1)),
    ("factor", """
        widen_factor scale scale_factor upscale_factor upscale up_scale factor num_experts_per_tok top_k topk downsample_factor""", (2, 1, 4)),
    ("unit", """
        width_mult width_multiplier depth_mult alpha beta temperature compression commitment_cost multiplier width_coefficient""", (1.0, 0.5)),
    ("unit", "depth_coefficient width_per_group gain tau max_action action_bound lambda_ res_scale theta phi", (1.0, 0.5)),
    ("small", "eps epsilon layer_norm_eps layer_norm_epsilon rms_norm_eps norm_eps bn_eps init_w", (1e-05,)),
    ("small", "init_std initializer_range std sigma std_init w_init", (0.02, 0.5)),
    ("small", "lr learning_rate weight_decay base_lr lr_actor lr_critic", (0.001,)),
    ("unit", "momentum gamma decay bn_momentum teacher_forcing_ratio theta_rope ema_decay teacher_forcing", (0.9, 0.5)),
    ("image", """
        image_size img_size imsize input_resolution resolution image_height image_width img_height img_width img_h img_w""", (32, 64, 224)),
    ("image", "image_dim im_size img_sz input_res isize spatial_size height imgh h_in w_in", (32, 64, 224)),
    ("patch", "patch_size patch patch_dim patch_height patch_width p_size patch_sz", (4, 8, 16)),
    ("window", "shift_size shift", (0,)),
    ("omega", "first_omega_0 hidden_omega_0 omega_0 omega w0 w0_initial", (30.0,)),
    ("few", "spline_order grid_order", (3, 2)),
    ("few", "num_points npoints n_points", (64,)),
    ("layers", "hidden_layers d", (2, 3)),
    ("width", "w", (128, 64)),
    ("unit", "temp margin", (1.0, 0.5)),
    ("layers", "nstack stacks num_stacks n_stacks nstacks", (2, 3)),
    ("features", "inp_dim input_ dim_input", (64, 32)),
    ("block_out", "oup_dim dim_output", (64, 16)),
    ("slope", "negative_slope leaky_slope slope leak", (0.2, 0.01)),
    ("exponent", "wf width_exponent", (5, 6)),
    ("rate", "sample_rate sampling_rate sr fs", (16000, 8000)),
    ("fft", "n_fft win_length hop_length n_mels num_mels mel_bins n_mfcc", (80, 400)),
    ("times", """
        routings iterations iters num_iterations num_routing n_iter routing_iterations num_iters n_iterations""", (3, 2)),
    ("small", "layer_scale_init_value init_value layer_scale init_values", (1e-05,)),
    ("few", """
        num_experts n_experts n_expert num_anchors num_capsules n_mixtures n_gaussians num_heads_out n_prototypes n_slots""", (4, 3, 8)),
    ("few", """
        num_routes n_codebooks num_codebooks num_queries num_keypoints n_supports order degree hops num_filters_multiplier""", (8, 4)),
    ("codes", """
        n_codes codebook_size num_codes num_codewords n_codebook embeddings_count num_clusters n_clusters""", (128, 64)),
    ("batch", "batch_size bs batch bsz num_envs n_envs", (4, 1)),
    ("zero", "seed ngpu gpu gpu_id n_gpu num_gpus local_rank rank gpus verbose", (0, 1)),
    ("zero", "epochs num_epochs n_epochs num_workers workers world_size", (1, 0)),
    ("cpu", "device dev map_location", ("cpu",)),
    ("yes", """
        bias qkv_bias batch_norm bn use_bn use_batchnorm batchnorm affine use_bias norm bilinear batch_first residual is_deconv""", (True, False)),
    ("yes", "learnable causal is_batchnorm normalize add_bias skip_connection", (True, False)),
    ("no", """
        bidirectional pretrained use_cuda use_gpu cuda debug attention deterministic freeze requires_grad training last final half
        inplace""", (False, True)),
    ("no", """
        downsample upsample transposed subsample shortcut dueling noisy return_attn concat is_gpu share_weights tie_weights quantize""", (False, True)),
    ("activation", """
        activation act act_layer nonlinearity act_fn non_linearity activation_fn activ act_func hidden_act afn f nonlin""", ("relu", "gelu")),
    ("activation", "activation_function hidden_activation act_type activation_type activation_name", ("relu", "gelu")),
    ("norm", "norm_layer normalization norm_type norm_fn norm_func normalization_layer normtype layernorm", ("batch", "bn")),
    ("rnn", "rnn_type cell_type rnn cell rnn_cell rnn_cell_type rnn_name recurrent_type", ("LSTM", "GRU")),
    ("mode", "mode pool_type pooling pool aggregator aggr fusion method attn_type attention_type merge_mode", ("mean", "sum", "dot", "general")),
    ("mode", "upsample_mode interpolation up_mode", ("bilinear", "upconv", "upsample")),
    ("mode", "padding_type pad_type padding_mode", ("zeros", "reflect", "zero")),
    ("mode", "init_type init_method weight_init init", ("normal", "xavier", "kaiming")),
    ("shape", """
        input_shape obs_shape image_shape img_shape in_shape state_shape observation_shape shape input_dims obs_dims inp_shape""", ((3, 32, 32),)),
    ("nothing", """
        checkpoint weights_path pretrained_path ckpt path weights logger log_dir writer act_post callback weights_file""", (None,)),
    ("nothing", "mask attn_mask downsample_layer skip gpu_ids initial_state quant_config", (None,)),
    ("name", """
        name backbone_name encoder_name model_name vgg_name arch model_type variant version net_type net_name size_name config_name""", ("base",)),
)  # fmt: skip

_LISTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("""
        kernel_sizes filter_sizes kernels kernel_list ks_list window_sizes filter_heights kernel_num_sizes""", (3, 4, 5)),
    ("dilations dilation_list atrous_rates rates pool_sizes", (1, 2, 4)),
    ("strides stride_list downsample_rates", (1, 2, 2, 2)),
    ("""
        hidden_sizes layer_sizes units dims hidden_layers layer_dims sizes hidden_dims layers_size net_arch architecture mlp_layers""", (128, 64)),
    ("""
        channel_list num_channels channels_list feature_list filters_list nb_filter num_filters features channels filters""", (64, 128)),
    ("block_config layers num_blocks depths num_layers n_blocks blocks layer_list", (2, 2, 2, 2)),
    ("channel_mult ch_mult channel_mults dim_mults ch_mults channel_multipliers", (1, 2)),
    ("anchors anchor_list", ((10, 13), (16, 30), (33, 23))),
    ("""
        field_dims cardinalities n_categories cat_dims emb_szs embedding_sizes categories num_embeddings""", (20, 30, 40)),
    ("""
        alphabet labels class_names names label_list vocab chars tags words characters tag_list relations metadata""", ("a", "b", "c", "d", "e")),
)  # fmt: skip

_PREFIX = re.compile(
    r"^(?:src|tgt|trg|enc|dec|encoder|decoder|input|output|model|net|n|num|max|min|init|base|total|user|item|in|out|text|word|char)_"
)
_PARTS: tuple[tuple[str, str], ...] = (
    (r"vocab|n_token|num_token|n_word|num_word|ntok", "vocab_size"),
    (r"drop", "dropout"),
    (r"pad_id|pad_idx|_idx$|_id$|index", "padding_idx"),
    (r"head.*dim|dim.*head|d_head", "head_dim"),
    (r"head", "num_heads"),
    (r"latent|noise|^z_|_z$", "latent_dim"),
    (r"feedforward|ffn|^ff_|mlp|inner|intermediate", "mlp_dim"),
    (r"path$|file$|dir$|folder|ckpt|checkpoint", "checkpoint"),
    (r"^(use|is|with|has|add|do|return|enable|if|share|tie|no|load|freeze|apply)_", "flag"),
    (r"bias", "bias"),
    (r"device", "device"),
    (r"kernel", "kernel_size"),
    (r"stride", "stride"),
    (r"class|label|tag", "num_classes"),
    (r"action", "num_actions"),
    (r"state|obs", "state_dim"),
    (r"act(ivation)?(_|$)|nonlin", "activation"),
    (r"norm", "norm_layer"),
    (r"(in|input)_?(ch|chan)", "in_channels"),
    (r"channel|plane|filter|_ch$", "out_channels"),
    (r"image|img|resol", "image_size"),
    (r"patch", "patch_size"),
    (r"hid|emb", "hidden_size"),
    (r"(^|_)(n|num)_|_num$|layers?$|blocks?$|depth", "num_layers"),
    (r"len(gth)?$|steps?$|time", "max_len"),
    (r"prob|_p$|_rate$", "dropout"),
    (r"ratio|factor|mult|scale", "scale"),
    (r"eps", "eps"),
    (r"std|sigma", "std"),
    (r"(in|input)_?(dim|size|feat|feature|features)$|^input|features?$|feats?$", "input_size"),
    (r"^out|_out|output", "output_size"),
    (r"dim|size|width|units|neurons|feat", "hidden_size"),
    (r"mode|type|method|kind|style", "mode"),
    (r"name", "name"),
)

_BY_NAME: dict[str, tuple[str, tuple[Any, ...]]] = {}
for _role, _words, _values in _ROWS:
    for _word in _words.lower().split():
        _BY_NAME.setdefault(_word, (_role, _values))
_BY_NAME["flag"] = ("no", (False, True))
_LIST_BY_NAME = {word: values for words, values in _LISTS for word in words.split()}


def normal(name: str) -> str:
    """A name in small letters with underscores: `hiddenSize_` is `hidden_size`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("_"))
    return spaced.lower()


def known(name: str) -> tuple[str, tuple[Any, ...]]:
    """The role of a name and its values, best first; an empty role when the table does not hold it."""
    for word in _spellings(normal(name)):
        if word in _BY_NAME:
            return _BY_NAME[word]
    return "", ()


def likely(name: str) -> tuple[str, tuple[Any, ...]]:
    """The same by parts of the name."""
    word = normal(name)
    for pattern, stands_for in _PARTS:
        if re.search(pattern, word):
            return _BY_NAME[stands_for]
    return "", ()


def listed(name: str) -> tuple[Any, ...]:
    """The elements of a list of that name, empty when the table does not hold it."""
    return next((_LIST_BY_NAME[word] for word in _spellings(normal(name)) if word in _LIST_BY_NAME), ())


def _spellings(word: str) -> list[str]:
    bare = re.sub(r"_?\d+$", "", word)
    joined = re.sub(r"(?<=[a-z])\d+", "", word)
    found = [word, bare, joined, _PREFIX.sub("", bare)]
    return [each for index, each in enumerate(found) if each and each not in found[:index]]
