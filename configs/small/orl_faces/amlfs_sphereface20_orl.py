# AM-LFS on the ORL faces, s = 30, B = 8.
#   DATA_ROOT=... tools/dist_train.sh configs/small/orl_faces/amlfs_sphereface20_orl.py 2
# Cost: 8 x a baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_softmax_sphereface20_orl.py', '../../_base_/search/amlfs_face.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6, scale=30.0))
