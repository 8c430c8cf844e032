"""The arms of this room by name, in the order in which they run and are reported."""

from baselines.classic_arms import Logistic, Majority, Nearest
from baselines.prompt_arms import FewShot, FewShotNearest, StepByStep, ZeroShot
from baselines.rag_arms import Rag, RagShots
from evals.protocols import Arm

ARMS: dict[str, type[Arm]] = {
    "majority": Majority,
    "nearest": Nearest,
    "logistic": Logistic,
    "zero_shot": ZeroShot,
    "few_shot": FewShot,
    "few_shot_nearest": FewShotNearest,
    "cot": StepByStep,
    "rag": Rag,
    "rag_shots": RagShots,
}
