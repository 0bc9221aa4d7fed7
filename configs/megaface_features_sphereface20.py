# Features of SphereFace-20 as MegaFace's files, for tools/analysis/megaface.py (Table 3).
# Once for each of the two folders of aligned images, with any checkpoint of the *_casia.py configs:
#   for set in facescrub megaface; do
#       FACES=data/$set FEATURES=features/$set python tools/test.py \
#           configs/megaface_features_sphereface20.py CHECKPOINT
#   done
# Cost: a pass over 1,003,530 images. docs/face.md has the next command.
_base_ = ['./baseline_softmax_sphereface20_casia.py']
faces = '{{$FACES:data/facescrub}}'
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=faces,
        with_label=False,
        pipeline=_base_.test_pipeline,
    )
)
test_evaluator = dict(
    _delete_=True,
    type='amlfs_mm.MegaFaceFeatures',
    out_dir='{{$FEATURES:features/facescrub}}',
    image_root=faces,
)
