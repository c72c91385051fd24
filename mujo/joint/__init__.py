"""MuJo's joint feature space: video, text, pose and IMU embedded so that what belongs together lies together.

How it goes: `targets` says where a data set wears its sensors and simulates them there; `draw` makes batches of windows
from clips; `model` holds an encoder and a projection a modality; `pretrain` runs the contrastive training and writes
the files; `retrieval` judges it on held-out clips, `model_card` and `training_log` put it on record. On the side of
the target: `align` finds the mounting rotation without labels, `adapt` takes normalisation statistics from unlabelled
windows, `zeroshot` classifies by names.
"""
