# Not in the paper. PCB on DukeMTMC-reID. Table 5 has PCB+RPP; torchreid 0.2.5 lacks RPP, its
# refined part pooling.
#   tools/dist_train.sh configs/baseline_pcb_duke.py 1
# Cost: 60 epochs of about 230 iterations of batch 64.
# Expected: no number in the paper.
_base_ = ['./baseline_pcb_market.py']
model = dict(head=dict(num_classes=632))  # 702 less 10 %
train_dataloader = dict(dataset=dict(source='dukemtmcreid'))
val_dataloader = dict(dataset=dict(source='dukemtmcreid'))
test_dataloader = dict(dataset=dict(source='dukemtmcreid'))
