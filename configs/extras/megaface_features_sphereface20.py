# Paper: Table 3, the features of SphereFace-20 for tools/analysis/megaface.py. Run it once for each
# set (facescrub, megaface), with a checkpoint of any *_casia.py config.
#   FACES=data/megaface FEATURES=features/megaface \
#       python tools/test.py configs/extras/megaface_features_sphereface20.py CHECKPOINT
# Cost: a pass over 1,003,530 images. docs/face.md has the next command.
# Expected: feature files; the protocol's numbers are those of the *_casia.py configs.
_base_ = [
    '../_base_/models/sphereface20.py',
    '../_base_/datasets/megaface.py',
    '../_base_/schedules/casia_30k.py',
    '../_base_/default_runtime.py',
]
