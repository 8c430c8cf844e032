"""The example tasks: their files come from their scripts, load, and hold what their READMEs say."""

import filecmp
import importlib.util
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from baselines.chunking import chunk_documents
from baselines.index import build_index
from baselines.tfidf import TfidfEmbedder
from evals.load import load_task
from evals.overlap import find_overlap, normalise_text

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("policy-qa", "ticket-coding", "order-format")
BYTES = 1_500_000


def script(name):
    """Return the module of an example's make_data.py."""
    key = f"example_{name.replace('-', '_')}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, EXAMPLES / name / "make_data.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[key] = module
        spec.loader.exec_module(module)
    return sys.modules[key]


def files_of(folder):
    """Return the paths of the data files below ``folder``, relative to it."""
    found = [path for path in folder.rglob("*") if path.suffix == ".jsonl" or path.parent != folder]
    return sorted(path.relative_to(folder) for path in found if path.is_file() and "__pycache__" not in path.parts)


def said(words, text):
    """Return those of ``words`` that stand in ``text`` as whole words."""
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def policy():
    return load_task(EXAMPLES / "policy-qa")


@pytest.fixture(scope="module")
def tickets():
    return load_task(EXAMPLES / "ticket-coding")


@pytest.fixture(scope="module")
def orders():
    return load_task(EXAMPLES / "order-format")


def test_every_example_is_tested_and_small():
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == sorted(NAMES)
    files = [path for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < BYTES


def test_the_script_makes_the_files_again(name, tmp_path):
    # Twice into one folder: nothing of an earlier call may stay.
    script(name).write_all(tmp_path)
    if name == "policy-qa":
        (tmp_path / "handbook-2026" / "stale.md").write_text("# Stale\n")
    script(name).write_all(tmp_path)
    files = files_of(tmp_path)
    assert files == files_of(EXAMPLES / name)
    assert filecmp.cmpfiles(tmp_path, EXAMPLES / name, map(str, files), shallow=False)[1:] == ([], [])


def test_it_loads_with_the_defaults_for_deciding(name):
    task = load_task(EXAMPLES / name)
    assert (task.name, task.notes, task.split_made) == (name, (), False)
    assert task.settings.model_fields_set.isdisjoint({"decision", "seeds", "model", "arms"})


def test_no_input_stands_twice(name):
    task = load_task(EXAMPLES / name)
    assert not find_overlap(task.train, task.eval).pairs
    inputs = [normalise_text(row.input) for row in (*task.train, *task.eval)]
    assert len(set(inputs)) == len(inputs)


@pytest.mark.parametrize(("name", "train", "evals"), [(NAMES[0], 480, 160), (NAMES[1], 640, 240), (NAMES[2], 48, 320)])
def test_it_has_as_many_rows_as_its_readme_says(name, train, evals):
    task = load_task(EXAMPLES / name)
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert (len(task.train), len(task.eval)) == (train, evals)
    assert {str(train), str(evals)} <= set(re.findall(r"\d+", readme))
    assert f"tuneworthy run examples/{name}" in readme


def test_the_handbook_has_short_pages(policy):
    assert len(policy.documents) == 120
    assert all(140 <= len(document.text.split()) <= 250 for document in policy.documents)
    for document in policy.documents:
        assert document.id == document.title.lower().replace(":", "").replace(" ", "-") + ".md"


def test_every_answer_stands_in_one_sentence_of_its_page(policy):
    facts = {fact.page + fact.noun: fact for fact in script("policy-qa").make_facts()}
    text = {document.id: document.text for document in policy.documents}
    for row in policy.eval:
        [noun] = said({fact.noun for fact in facts.values() if fact.page == row.doc_id}, row.input)
        fact = facts[row.doc_id + noun]
        assert fact.entity in row.input
        sentences = re.split(r"(?<=\.)\s", text[row.doc_id])
        [stated] = [line for line in sentences if noun in line.lower() and fact.entity.lower() in line.lower()]
        assert row.target in stated


def test_a_place_and_a_matter_are_unique_in_the_handbook(policy):
    module = script("policy-qa")
    nouns = [noun for topic in module.TOPICS.values() for noun in topic]
    assert len(set(nouns)) == len(nouns)
    pairs = Counter()
    for document in policy.documents:
        for sentence in re.split(r"(?<=\.)\s", document.text):
            places = said([entity.lower() for entity in module.ENTITIES], sentence.lower())
            pairs.update((place, noun) for place in places for noun in said(nouns, sentence.lower()))
    stated = Counter((fact.entity.lower(), fact.noun) for fact in module.make_facts())
    assert pairs == stated
    assert set(pairs.values()) == {1}


def test_most_matters_were_asked_before_and_most_answers_changed(policy):
    nouns = [noun for topic in script("policy-qa").TOPICS.values() for noun in topic]
    entities = script("policy-qa").ENTITIES

    def matter(row):
        [noun] = said(nouns, row.input.lower())
        [entity] = said([entity.lower() for entity in entities], row.input.lower())
        return entity, noun

    before = {matter(row): row.target for row in policy.train}
    asked = Counter(matter(row) for row in policy.train)
    again = [row for row in policy.eval if matter(row) in before]
    assert all(row.target == before[matter(row)] for row in policy.train)
    assert len({matter(row) for row in policy.eval}) == len(policy.eval)
    assert len(again) == len(before) == 0.75 * len(policy.eval)
    assert set(asked.values()) == {len(policy.train) // len(before)}
    assert 0.8 <= sum(before[matter(row)] != row.target for row in again) / len(again) <= 0.9


def test_retrieval_finds_the_page_that_answers(policy, tmp_path):
    settings = policy.settings.rag
    passages = chunk_documents(
        policy.documents,
        lambda text: max(1, len(text) // 3),
        size=settings.chunk_tokens,
        overlap=settings.overlap_tokens,
    )
    found = build_index(passages, TfidfEmbedder(), tmp_path).search([row.input for row in policy.eval], settings.k)
    right = [
        any(hit.document_id == row.doc_id and row.target in hit.text for hit in hits)
        for row, hits in zip(policy.eval, found, strict=True)
    ]
    assert sum(right) >= 0.95 * len(right)


def filed(text):
    """Return the code of a ticket by the words that stand in it."""
    module = script("ticket-coding")
    [family] = [code for code, products in module.FAMILIES.items() if said(products, text)]
    [region] = [letter for letter, towns in module.REGIONS.items() if said(towns, text)]
    [town] = said([town for towns in module.REGIONS.values() for town in towns], text)
    facts = []
    for yes, no in ((module.DOWN, module.RUNNING), (module.BUSINESS, module.HOME), (module.OLD, module.NEW)):
        found = [[wording for wording in wordings if wording.format(town=town) in text] for wordings in (yes, no)]
        assert len(found[0]) + len(found[1]) == 1
        facts.append(bool(found[0]))
    down, business, old = facts
    severity = 1 if down and business else 3 if old and not down else 2
    [reference] = re.findall(r"\d+", text)
    return f"{family}-{severity}-{region}-{reference}"


def test_codes_follow_the_scheme_but_for_the_noise(tickets):
    assert [row.target for row in tickets.eval] == [filed(row.input) for row in tickets.eval]
    wrong = [(row.target, filed(row.input)) for row in tickets.train if row.target != filed(row.input)]
    assert len(wrong) == round(0.02 * len(tickets.train))
    for given, right in wrong:
        assert sum(a != b for a, b in zip(given.split("-"), right.split("-"), strict=True)) == 1
        assert given.split("-")[3] == right.split("-")[3]


def test_tickets_are_short_and_every_word_of_the_scheme_is_in_train(tickets):
    module = script("ticket-coding")
    assert all(len(row.input.split()) <= 45 for row in (*tickets.train, *tickets.eval))
    for word in [word for words in (*module.FAMILIES.values(), *module.REGIONS.values()) for word in words]:
        assert sum(bool(said([word], row.input)) for row in tickets.train) >= 5, word


def test_no_code_resembles_its_products_or_towns():
    module = script("ticket-coding")
    for code, words in (*module.FAMILIES.items(), *module.REGIONS.items()):
        assert not [word for word in words if word[0].upper() == code[0]]


def test_orders_are_json_in_one_form_copied_from_the_line(orders):
    for row in (*orders.train, *orders.eval):
        fields = json.loads(row.target)
        assert list(fields) == ["item", "quantity", "day"]
        assert all(value in row.input for value in fields.values())
        assert row.target == json.dumps(fields, ensure_ascii=False)


def test_no_order_stands_twice(orders):
    targets = [row.target for row in (*orders.train, *orders.eval)]
    assert len(set(targets)) == len(targets)
