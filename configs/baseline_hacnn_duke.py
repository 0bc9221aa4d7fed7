# Paper: Table 5, "HA-CNN", on DukeMTMC-reID.
#   tools/dist_train.sh configs/baseline_hacnn_duke.py 1
# Cost: 300 epochs of about 460 iterations of batch 32.
# Expected: 63.8 % mAP, 80.5 % rank-1 (paper's numbers, which have all training identities:
# held_out=0).
_base_ = ['./baseline_hacnn_market.py']
model = dict(head=dict(num_classes=632))  # 702 less 10 %
train_dataloader = dict(dataset=dict(source='dukemtmcreid'))
val_dataloader = dict(dataset=dict(source='dukemtmcreid'))
test_dataloader = dict(dataset=dict(source='dukemtmcreid'))
