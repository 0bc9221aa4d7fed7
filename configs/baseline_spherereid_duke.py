# Paper: Table 5, "SphereReID", on DukeMTMC-reID.
#   tools/dist_train.sh configs/baseline_spherereid_duke.py 1
# Cost: 140 epochs of about 230 iterations of batch 64.
# Expected: 68.5 % mAP, 83.9 % rank-1 (paper's numbers, which have all training identities:
# held_out=0).
_base_ = ['./baseline_spherereid_market.py']
model = dict(head=dict(num_classes=632))  # 702 less 10 %
train_dataloader = dict(dataset=dict(source='dukemtmcreid'))
val_dataloader = dict(dataset=dict(source='dukemtmcreid'))
test_dataloader = dict(dataset=dict(source='dukemtmcreid'))
