# Not in the paper. OSNet on DukeMTMC-reID; torchreid's model zoo has 70.2 % mAP, 87.0 % rank-1
# from all training identities.
#   tools/dist_train.sh configs/baseline_osnet_duke.py 1
# Cost: 250 epochs of about 230 iterations of batch 64.
# Expected: no number in the paper.
_base_ = ['./baseline_osnet_market.py']
model = dict(head=dict(num_classes=632))  # 702 less 10 %
train_dataloader = dict(dataset=dict(source='dukemtmcreid'))
val_dataloader = dict(dataset=dict(source='dukemtmcreid'))
test_dataloader = dict(dataset=dict(source='dukemtmcreid'))
