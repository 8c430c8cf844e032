import time
from collections import Counter

import pytest
from fake_model import FakeEmbedder, FakeModel, make_context, make_rows, make_task

from baselines.arms import ARMS
from baselines.rag_arms import FROM_PASSAGES, STAND_IN
from evals.errors import ArmError
from evals.example import Document
from evals.protocols import Retrieved

DOCUMENTS = (
    Document("sea", "The sea", "Whales swim through salt water. Crabs walk under salt water."),
    Document("wood", "The wood", "Foxes hide among old trees. Owls nest in old trees."),
    Document("town", "The town", "Trams cross a wide square. People meet on a square."),
)
TRAIN = make_rows(*((f"question number {n}", f"reply {n}") for n in range(12)))
ASKED = make_rows(("where in the wood do owls nest", "old trees"), ("what do trams cross", "a square"), prefix="e")
SETTINGS = {"k": 2, "chunk_tokens": 8, "overlap_tokens": 0}


def run(name, folder, *, train=TRAIN, documents=DOCUMENTS, examples=ASKED, model=None, answer="text", seed=0, **file):
    """Return the fit report, the predictions and the prompts asked."""
    task = make_task(train, answer=answer, documents=documents, **{"rag": SETTINGS, **file})
    model = model or FakeModel()
    arm = ARMS[name](make_context(task, folder, model=model, seed=seed))
    report = arm.fit(train, documents)
    predictions = arm.answer(examples)
    return report, predictions, model.asked


def test_the_nearest_passages_stand_in_the_prompt_best_first(tmp_path):
    report, predictions, asked = run("rag", tmp_path)
    assert [passage.id for passage in asked[0].passages] == ["wood#1", "wood#0"]
    assert asked[0].passages[0].text == "Owls nest in old trees."
    assert asked[1].passages[0].id == "town#0"
    assert asked[0].instruction == f"Do the task. {FROM_PASSAGES}"
    assert predictions[0].raw == "Owls"
    assert report.facts == {
        "passages asked for": 2,
        "embedder": "fake",
        "documents": 3,
        "passages": 6,
    }


def test_what_was_retrieved_is_recorded(tmp_path):
    _, predictions, asked = run("rag", tmp_path)
    for prediction, prompt in zip(predictions, asked, strict=True):
        wanted = tuple(Retrieved(passage.id, passage.document_id, passage.score) for passage in prompt.passages)
        assert prediction.retrieved == wanted
        assert wanted[0].score > wanted[1].score > 0


def test_labels_are_listed_after_the_arms_own_sentence(tmp_path):
    rows = make_rows(("a", "yes"), ("b", "no"))
    _, predictions, asked = run("rag", tmp_path, train=rows, answer="label")
    assert asked[0].instruction == f"Do the task. {FROM_PASSAGES}\nLabels: no, yes"
    assert predictions[0].choice_by_mean == "yes"


def test_passages_leave_from_the_end_when_the_prompt_is_too_long(tmp_path):
    # 7 words of instruction, 9 of input, 6 and 2 of answer and specials; each passage is 9 words.
    _, predictions, asked = run("rag", tmp_path, model=FakeModel(context=36))
    assert [passage.id for passage in asked[0].passages] == ["wood#1"]
    assert [(found.id, found.shown) for found in predictions[0].retrieved] == [("wood#1", True), ("wood#0", False)]
    assert predictions[0].error is None


def test_a_prompt_too_long_without_passages_keeps_instruction_and_input(tmp_path):
    examples = make_rows(("owl " * 40, "x"), prefix="e")
    _, predictions, asked = run("rag", tmp_path, model=FakeModel(context=36), examples=examples)
    assert (asked[0].passages, asked[0].input) == ((), "owl " * 40)
    assert [found.shown for found in predictions[0].retrieved] == [False, False]
    assert "context is 36" in predictions[0].error


def test_without_documents_training_rows_stand_in_with_their_answers(tmp_path):
    train = make_rows(("where do owls sleep", "in trees"), ("when do trams run", "at night"), ("who sings", "birds"))
    report, predictions, asked = run("rag", tmp_path, train=train, documents=())
    assert [passage.text for passage in asked[0].passages][0] == "Input: where do owls sleep\nOutput: in trees"
    assert predictions[0].retrieved[0].id == "t0#0"
    assert predictions[0].retrieved[0].document_id == "t0"
    assert predictions[0].retrieved[0].score == pytest.approx(3 / 28**0.5, abs=1e-5)  # input against input
    assert report.facts["note"] == STAND_IN
    assert report.facts["passages"] == 3
    assert "Passage 1: Input: where do owls sleep Output: in trees\n" in predictions[0].prompt


def test_a_long_training_row_is_not_cut(tmp_path):
    train = make_rows(("owls " + "word " * 60 + ".", "x"), ("b", "y"))
    _, _, asked = run("rag", tmp_path, train=train, documents=(), examples=make_rows(("owls word", "x"), prefix="e"))
    assert len(asked[0].passages[0].text.split()) == 65


def test_a_row_never_retrieves_itself_or_its_copies(tmp_path):
    train = make_rows(("Who sings?", "birds"), ("who sings", "choirs"), ("who hums", "bees"), ("who knows", "owls"))
    examples = make_rows(("WHO SINGS", "birds"), ("who hums loudly", "bees"), prefix="e")
    _, _, asked = run("rag", tmp_path, train=train, documents=(), examples=examples)
    assert {passage.document_id for passage in asked[0].passages} == {"t2", "t3"}
    assert asked[1].passages[0].document_id == "t2"
    assert len(asked[1].passages) == 2


def test_documents_without_text_are_an_arms_error(tmp_path):
    with pytest.raises(ArmError, match="hold no text"):
        run("rag", tmp_path, documents=(Document("a", "A", "  "),))


def test_fewer_passages_than_asked_for_are_all_given(tmp_path):
    _, _, asked = run("rag", tmp_path, documents=DOCUMENTS[:1], rag={"k": 50, "chunk_tokens": 8})
    assert len(asked[0].passages) == 2


def test_rag_shots_stand_before_the_passages_and_are_seeded(tmp_path):
    def shots(seed):
        report, _, asked = run("rag_shots", tmp_path, seed=seed, few_shot={"k": 4})
        assert len(asked[0].passages) == 2
        assert asked[0].shots == asked[1].shots
        assert (report.facts["shots"], report.facts["shots asked for"]) == (4, 4)
        return asked[0].shots

    assert shots(0) == shots(0)
    assert len({shots(seed) for seed in range(4)}) == 4


def test_rag_shows_shots_when_its_settings_ask_for_them_whatever_the_seed(tmp_path):
    asked = [run("rag", tmp_path, seed=seed, rag={**SETTINGS, "shots": 3})[2] for seed in range(3)]
    assert len(asked[0][0].shots) == 3
    assert asked[0] == asked[1] == asked[2]
    assert len(run("rag_shots", tmp_path, rag={**SETTINGS, "shots": 3})[2][0].shots) == 3


def test_shots_of_label_tasks_are_balanced(tmp_path):
    rows = make_rows(*((f"text {n}", "yes" if n < 15 else "no") for n in range(20)))
    _, _, asked = run("rag_shots", tmp_path, train=rows, answer="label", few_shot={"k": 6})
    assert Counter(shot.output for shot in asked[0].shots) == {"yes": 3, "no": 3}


def test_shots_leave_room_for_the_passages_and_go_last_for_a_long_row(tmp_path):
    examples = [*ASKED, *make_rows(("owls " * 18, "x"), prefix="long")]
    # Without shots a training row would take 7 + 5 words, 2 × 9 of passages, 6 + 2 kept free: 38; a shot is 7 words.
    report, predictions, asked = run("rag_shots", tmp_path, model=FakeModel(context=57), examples=examples)
    assert report.facts["shots"] == 2
    assert [(len(prompt.shots), len(prompt.passages)) for prompt in asked] == [(2, 2), (2, 2), (2, 0)]
    assert all(prediction.error is None for prediction in predictions)


def test_one_index_serves_both_arms(tmp_path):
    first, second = FakeEmbedder(), FakeEmbedder()
    for name, embedder in (("rag", first), ("rag_shots", second)):
        task = make_task(TRAIN, answer="text", documents=DOCUMENTS, rag=SETTINGS)
        ARMS[name](make_context(task, tmp_path, embedder=embedder)).fit(TRAIN, DOCUMENTS)
    assert (first.embedded, second.embedded) == (6, 0)


def test_rows_that_find_the_same_passages_are_asked_side_by_side_and_searched_once(tmp_path):
    asked = make_rows(
        ("where in the wood do owls nest", "old trees"),
        ("what do trams cross", "a square"),
        ("where do owls nest", "old trees"),
        ("trams cross what", "a square"),
        prefix="e",
    )
    arm = ARMS["rag"](make_context(make_task(TRAIN, documents=DOCUMENTS, rag=SETTINGS), tmp_path, model=FakeModel()))
    arm.fit(TRAIN, DOCUMENTS)
    plain = arm.answer(asked)
    embedder = arm.index._embedder
    searched = []
    embed = embedder.embed_queries

    def spy(texts):
        searched.extend(texts)
        time.sleep(0.02)
        return embed(texts)

    embedder.embed_queries = spy
    order = arm.order(asked)
    firsts = [plain[row].retrieved[0].id for row in order]
    assert firsts == ["town#0", "town#0", "wood#1", "wood#1"]
    assert sorted(order) == [0, 1, 2, 3]
    assert sorted(searched) == sorted(row.input for row in asked)
    answers = arm.answer([asked[row] for row in order])
    assert len(searched) == len(asked)
    assert [answer.retrieved for answer in answers] == [plain[row].retrieved for row in order]
    assert sum(answer.ms for answer in answers) >= 20  # what was searched beforehand counts in the rows' times

    arm.order(asked)
    arm.cool()  # single requests are timed with their search
    arm.answer(asked[:1])
    assert len(searched) == 2 * len(asked) + 1
