import pytest

from baselines.encoding import Encoding
from baselines.local_model import LocalModel
from baselines.render import STOPS, render_messages, render_plain
from evals.errors import ModelError
from evals.example import Passage, Prompt, Shot
from tests.tiny_models import CHAT_TEMPLATE, CHAT_TEMPLATE_NO_SYSTEM, KINDS, save_tiny, tiny_module, tiny_tokenizer

PROMPT = Prompt(
    "Answer the question.",
    " what is the capital of France? ",
    shots=(Shot("how many people?", "12345"),),
    passages=(Passage("p1", "d1", "Paris", "Paris is\nthe capital."), Passage("p2", "d2", "", "Berlin is cold.")),
)


def model(**options):
    return LocalModel.from_module(tiny_module(), tiny_tokenizer(**options), name="tiny")


def test_plain_rendering_word_for_word():
    assert render_plain(PROMPT) == (
        "Answer the question.\n\n"
        "Input: how many people?\nOutput: 12345\n\n"
        "Passage 1: Paris: Paris is the capital.\nPassage 2: Berlin is cold.\n\n"
        "Input: what is the capital of France?\nOutput:"
    )
    assert model().render(PROMPT) == render_plain(PROMPT)


def test_prompts_that_differ_in_input_share_everything_before_it():
    one, other = (render_plain(Prompt("Do.", text, PROMPT.shots)) for text in ("alpha", "beta"))
    assert one.partition("alpha")[0] == other.partition("beta")[0] != ""


def test_messages_with_and_without_a_system_role():
    roles = [message["role"] for message in render_messages(PROMPT, system_role=True)]
    assert roles == ["system", "user", "assistant", "user"]
    folded = render_messages(PROMPT, system_role=False)
    assert [message["role"] for message in folded] == ["user", "assistant", "user"]
    assert folded[0]["content"] == "Answer the question.\n\nhow many people?"


def test_a_chat_template_is_used_and_its_turn_end_ends_the_answer():
    chat = model(chat_template=CHAT_TEMPLATE)
    text = chat.render(Prompt("Do.", "alpha", (Shot("in", "out"),)))
    assert text == (
        "<|system|>\nDo.<|end|>\n<|user|>\nin<|end|>\n<|assistant|>\nout<|end|>\n<|user|>\nalpha<|end|>\n<|assistant|>\n"
    )
    end = chat.tokenizer.convert_tokens_to_ids("<|end|>")
    assert chat.answer_end_id == end
    assert chat.end_token_ids == {end, chat.tokenizer.eos_token_id}
    assert chat.encode_prompt(Prompt("Do.", "alpha")).count(end) == 2


def test_a_template_that_refuses_the_system_role_gets_the_instruction_in_the_first_turn():
    chat = model(chat_template=CHAT_TEMPLATE_NO_SYSTEM)
    assert chat.render(Prompt("Do.", "alpha")) == "<s>[user]Do.\n\nalpha[assistant]"
    assert chat.answer_end_id == chat.tokenizer.eos_token_id
    ids = chat.encode_prompt(Prompt("Do.", "alpha"))
    assert ids.count(chat.tokenizer.bos_token_id) == 1


def test_a_template_that_leaves_the_system_message_out_gets_it_in_the_first_turn():
    silent = CHAT_TEMPLATE.replace(
        "{% for m in messages %}", "{% for m in messages %}{% if m['role'] != 'system' %}"
    ).replace("{% endfor %}", "{% endif %}{% endfor %}")
    assert model(chat_template=silent).render(Prompt("Do.", "alpha")).startswith("<|user|>\nDo.\n\nalpha")


def test_a_template_that_tells_the_date_gives_the_same_prompt_every_day():
    dated = "{{ strftime_now('%Y-%m-%d') }} {{ strftime_now('%d %b %Y') }} " + CHAT_TEMPLATE
    assert model(chat_template=dated).render(Prompt("Do.", "a")).startswith("2024-07-26 26 Jul 2024 <|system|>")


def test_a_thinking_template_is_asked_not_to_think():
    thinking = CHAT_TEMPLATE + "{% if enable_thinking is defined and not enable_thinking %}no thoughts{% endif %}"
    assert model(chat_template=thinking).render(Prompt("Do.", "a")).endswith("no thoughts")


def test_a_broken_template_is_one_clear_error():
    with pytest.raises(ModelError, match="chat template can't render the prompt: .*mood"):
        model(chat_template="{{ raise_exception('bad mood') }}").render(Prompt("Do.", "a"))


@pytest.mark.parametrize("template", [None, CHAT_TEMPLATE, CHAT_TEMPLATE_NO_SYSTEM])
@pytest.mark.parametrize("bos", [False, True])
def test_prompt_and_answer_are_the_tokens_of_the_whole_text(template, bos):
    asked = model(chat_template=template, bos=bos)
    prompt, answer = Prompt("Do.", "the food was great", PROMPT.shots), "positive review"
    whole = asked.render(prompt) + (answer if template else f" {answer}")
    bare = asked.tokenizer(whole, add_special_tokens=False)["input_ids"]
    start = [asked.tokenizer.bos_token_id] if bos and template is None else []
    assert asked.encode_prompt(prompt) + asked.encode_answer(answer) == start + bare


def test_an_answer_gets_no_leading_space_of_its_own_from_a_sentencepiece_tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "▁Output", ":", "▁positive", "▁", "\n", "▁Do.", "▁Input", "▁a", "▁zqinput", "▁zqinstruct"]
    letters = [chr(code) for code in range(97, 123)] + ["D", "I", "O", "."]
    inner = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces] + [(letter, -9.0) for letter in letters], 0))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    inner.decoder = decoders.Metaspace()
    encoding = Encoding(PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=None))
    (ids,) = encoding.encode_answers(["positive"])
    assert encoding.tokenizer.convert_ids_to_tokens(ids) == ["▁positive"]


def test_without_an_end_token_answers_end_at_the_next_input():
    encoding = Encoding(tiny_tokenizer(eos=False))
    assert encoding.answer_end_id is None
    assert encoding.end_token_ids == set()
    assert encoding.stops == STOPS


def test_the_config_names_the_end_token_where_the_tokenizer_does_not():
    asked = LocalModel.from_module(tiny_module(), tiny_tokenizer(eos=False), name="tiny")
    assert asked.answer_end_id == asked.module.config.eos_token_id == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_encodes_as_it_did(tmp_path, kind):
    from baselines.loading import load_module

    loaded = load_module(str(save_tiny(tmp_path / kind, kind, bos=True)))
    again = LocalModel(loaded.module, loaded.tokenizer, name=kind)
    prompt = Prompt("Say positive or negative.", "the room was cold")
    assert again.encode_prompt(prompt) == model(bos=True).encode_prompt(prompt)
    assert again.count_tokens("the room was cold") == model().count_tokens("the room was cold")
