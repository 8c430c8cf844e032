"""The arms of the family ``tune`` by name, in the order in which a run takes them."""

from evals.protocols import Arm
from finetune.adapter_arm import AdapterArm
from finetune.rag_tune_arms import RagLoraArm, RagQloraArm
from finetune.scratch_arm import ScratchArm
from finetune.tune_arms import FullArm, LoraArm, QloraArm

ARMS: dict[str, type[Arm]] = {
    QloraArm.name: QloraArm,
    LoraArm.name: LoraArm,
    FullArm.name: FullArm,
    RagQloraArm.name: RagQloraArm,
    RagLoraArm.name: RagLoraArm,
    ScratchArm.name: ScratchArm,
    AdapterArm.name: AdapterArm,
}
