"""What is known of packages by the name under which they are imported: how they are installed, and whether they can hold weights."""

from __future__ import annotations

import re

_DISTRIBUTIONS = {
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "Bio": "biopython",
    "bs4": "beautifulsoup4",
    "absl": "absl-py",
    "attr": "attrs",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "gin": "gin-config",
    "git": "GitPython",
    "hydra": "hydra-core",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "pytorch_lightning": "pytorch-lightning",
    "lightning_fabric": "lightning-fabric",
    "torch_geometric": "torch_geometric",
    "torch_scatter": "torch-scatter",
    "torch_sparse": "torch-sparse",
    "torch_cluster": "torch-cluster",
    "efficientnet_pytorch": "efficientnet-pytorch",
    "pretrainedmodels": "pretrainedmodels",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "rotary_embedding_torch": "rotary-embedding-torch",
    "vector_quantize_pytorch": "vector-quantize-pytorch",
    "mamba_ssm": "mamba-ssm",
    "flash_attn": "flash-attn",
    "stable_baselines3": "stable-baselines3",
    "tensorboard_logger": "tensorboard-logger",
    "memory_profiler": "memory-profiler",
    "open_clip": "open_clip_torch",
    "pl_bolts": "lightning-bolts",
    "sacred": "sacred",
    "tensorboardX": "tensorboardX",
    "umap": "umap-learn",
    "wget": "wget",
    "pycocotools": "pycocotools",
    "torchdiffeq": "torchdiffeq",
    "whisper": "openai-whisper",
    "serial": "pyserial",
    "Crypto": "pycryptodome",
    "google": "protobuf",
    "mpl_toolkits": "matplotlib",
    "pylab": "matplotlib",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_addons": "tensorflow-addons",
    "sentence_transformers": "sentence-transformers",
    "huggingface_hub": "huggingface-hub",
}
"""Distributions whose name is not the import name; a few that only differ in `-` and `_` are listed because they are common."""

_ELSEWHERE = {
    "apex": "pip install -v --no-build-isolation git+https://github.com/NVIDIA/apex",
    "detectron2": "pip install git+https://github.com/facebookresearch/detectron2",
    "clip": "pip install git+https://github.com/openai/CLIP.git",
    "MinkowskiEngine": "pip install git+https://github.com/NVIDIA/MinkowskiEngine",
    "pytorch3d": "pip install git+https://github.com/facebookresearch/pytorch3d",
    "dgl": "pip install dgl -f https://data.dgl.ai/wheels/repo.html",
}
"""Packages of which the index has another or none under that name."""

_LOCAL = frozenset(
    "util utils model models module modules layer layers net nets network networks backbone backbones block blocks config configs conf cfg"
    " setting settings option options opts opt arg args argument arguments parser hparams hparam param params constant constants const"
    " data dataset dataloader data_loader data_loaders data_utils loader loaders lib libs src source core common base helper helpers tool"
    " tools misc op ops func funcs function functions loss losses metric metrics train trainer training test tests eval evaluate evaluation"
    " engine solver optimizer optimizers optim scheduler schedulers transform transforms augment augmentation preprocess preprocessing"
    " processing logger logging_utils log visualize visualization vis plot plots env envs environment agent agents memory buffer replay_buffer"
    " vocab tokenizer embedding embeddings encoder decoder attention transformer resnet unet gan vae generator discriminator registry globals"
    " hyperparameters main run demo external third_party".split()
)
"""Names that people give to the files beside their script."""

_WATCHERS = frozenset(
    "wandb mlflow comet_ml neptune clearml aim tensorboard tensorboardX tensorboard_logger visdom sacred torchsummary torchinfo torchsummaryX"
    " thop ptflops fvcore_flops torchstat pytorch_model_summary torchviz hiddenlayer netron summary logging loguru rich colorlog termcolor"
    " colorama icecream line_profiler memory_profiler pynvml GPUtil psutil matplotlib seaborn plotly".split()
)
"""Packages that look at a model or report on it, and never change it."""

_HARMLESS = _WATCHERS | frozenset(
    "torchmetrics cv2 PIL skimage sklearn pandas scipy nltk spacy sentencepiece tokenizers sacrebleu rouge rouge_score seqeval jieba librosa"
    " soundfile albumentations imgaug torchio h5py lmdb imageio decord av pycocotools tqdm yaml omegaconf gym gymnasium networkx rdkit"
    " ray optuna evaluate datasets webdataset ffcv requests boto3 simplejson ujson msgpack editdistance jiwer regex ftfy".split()
)
"""Packages whose objects hold no trainable weights, so that a module may keep one."""

_WEIGHTLESS = re.compile(
    r"(Metric|Meter|Logger|Accuracy|Writer|Timer|Evaluator|Tokenizer|Transforms?|Augmentation|Compose|Normalize|Scheduler|Profiler"
    r"|DiceLoss|FocalLoss|JaccardLoss|TverskyLoss|LovaszLoss|SoftBCEWithLogitsLoss|SSIM|SSIMLoss|Registry|Config|Env)$|^(get_)?(root_)?logger$"
    r"|^(getLogger|get_logger|setup_logger|get_tokenizer)$"
)
"""Names of things without trainable weights, whatever package they come from."""


def install_command(package: str) -> str:
    """What to type to get a package, by its import name."""
    if package in _ELSEWHERE:
        return _ELSEWHERE[package]
    return f"pip install {_DISTRIBUTIONS.get(package, package)}"


def looks_local(package: str) -> bool:
    """Whether a name is one that people give to their own files rather than to packages."""
    return package in _LOCAL and package not in _DISTRIBUTIONS


def watches(package: str) -> bool:
    """Whether a package only looks at models."""
    return package in _WATCHERS


def weightless(package: str, name: str) -> bool:
    """Whether what `name` (the last part of a dotted name) makes holds no trainable weights."""
    return package in _HARMLESS or bool(_WEIGHTLESS.search(name))
