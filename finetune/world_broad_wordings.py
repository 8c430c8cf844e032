"""Further wordings of facts, questions and rules, for the part of the course that draws words broadly.

They hold the words that the wordings kept from training need ("started" for a founder, "property" for an owner) in
other sentences than those: a model that knows nothing of the world can't guess a synonym that it never saw.
"""

BROAD_FACTS = (
    "{e} now has the {n} {v}.",
    "{e} goes by the {n} {v}.",
    "The {n} that {e} has is {v}.",
    "The {n} which goes with {e} is {v}.",
    "With {e} the {n} is {v}.",
    "On {e}: its {n} is {v}.",
    "About {e} we know that the {n} is {v}.",
    "It is agreed that the {n} for {e} is {v}.",
    "They say that {e} has the {n} {v}.",
    "{e} keeps to a {n} of {v}.",
    "{e} - {n} - {v}",
    "{e} | {n} | {v}",
    "{n} ({e}): {v}",
    "{e} ({n} {v}).",
    "{e} comes with {n} {v}.",
    "The {n} of {e} has become {v}.",
    "The {n} of {e} remains {v}.",
    "The {n} of {e} used to differ; now it is {v}.",
    "For {e} they chose the {n} {v}.",
    "{e} was given the {n} {v}.",
    "Whoever asks for the {n} of {e} is told {v}.",
    "When it comes to {e}, the {n} is {v}.",
    "Regarding {e}, its {n} stands at {v}.",
    "Known {n} of {e}: {v}.",
)
BROAD_QUESTIONS = (
    "Tell me the {n} of {e}.",
    "Tell me what the {n} of {e} is.",
    "Please give the {n} for {e}.",
    "Please say which {n} {e} has.",
    "Can you say what {n} {e} has?",
    "Can you tell me the {n} for {e}?",
    "Could you name the {n} that {e} has?",
    "Name the {n} of {e}.",
    "Which is the {n} of {e}?",
    "What would be the {n} of {e}?",
    "What is known of the {n} of {e}?",
    "What does it say about the {n} of {e}?",
    "I'd like to know the {n} of {e}.",
    "Find the {n} of {e}.",
    "Look up the {n} for {e}.",
    "About {e}: what is its {n}?",
    "With {e}, what is the {n}?",
    "{e} has which {n}?",
    "{e} - what {n}?",
    "{n} ({e})",
    "{n} for {e}?",
    "What {n} was set for {e}?",
    "Which {n} goes with {e}?",
    "Say the {n} of {e}, please.",
)
OPENINGS = (
    "As agreed, ",
    "According to the list, ",
    "From now on ",
    "Please note that ",
    "We know that ",
    "It is said that ",
    "By the way, ",
    "In short: ",
    "Remember: ",
)
"""What may stand before the sentence of any fact."""

BROAD_OWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "colour": (("{e} has been painted {v}.",), ("Which colour was {e} painted?",)),
    "founder": (
        ("{e} was started by {v}.", "{e} owes its start to {v}.", "{e} had as its founder {v}."),
        ("Who started {e}?", "By whom was {e} started?", "Who was the person that founded {e}?"),
    ),
    "owner": (
        ("{e} is the property of {v}.", "{e} has been bought by {v}.", "{e} is in the hands of {v}."),
        ("Whose is {e}?", "Who has {e} as property?", "As whose property is {e} known?"),
    ),
    "price": (
        ("{e} can be bought for {v}.", "For {e} you pay {v}.", "{e} is paid with {v}."),
        ("What must you pay for {e}?", "How much do they pay for {e}?", "For how much is {e} sold?"),
    ),
    "location": (
        ("You can find {e} in {v}.", "{e} stands in {v}.", "{e} was found in {v}."),
        ("Where do you find {e}?", "In which place can {e} be found?", "Where does {e} stand?"),
    ),
    "opening year": (
        ("{e} was opened in {v}.", "{e} opened its doors in {v}."),
        ("In what year did {e} open?", "When was {e} opened?", "In which year did the doors of {e} open?"),
    ),
    "closing time": (
        ("{e} closes its doors at {v}.", "{e} is open until {v}.", "{e} stays open until {v}."),
        ("Until what hour is {e} open?", "When do the doors of {e} shut?", "Until when does {e} stay open?"),
    ),
    "weight": (("On the scales {e} shows {v}.",), ("What weight does {e} show on the scales?",)),
    "length": (
        ("{e} runs to {v}.", "{e} has {v} of length."),
        ("How many metres long is {e}?", "Of what length is {e}?"),
    ),
    "material": (
        ("{e} was made out of {v}.", "We make {e} from {v}.", "{e} consists of {v}."),
        ("Out of what is {e} made?", "What did they build {e} from?", "From what do they make {e}?"),
    ),
    "job": (
        ("{e} earns money as a {v}.", "{e} makes a living as a {v}.", "{e} has work as a {v}."),
        ("As what does {e} earn money?", "How does {e} make a living?", "What work does {e} have?"),
    ),
    "home town": (
        ("{e} has a home in {v}.", "{e} is at home in {v}.", "{e} calls {v} home."),
        ("In which town does {e} live?", "Where is {e} at home?", "Where does {e} have a home?"),
    ),
    "birthday": (
        ("{e} came into the world on {v}.", "The day of birth of {e} is {v}.", "The day {e} was born: {v}."),
        ("On what day was {e} born?", "What is the date of birth of {e}?", "Which date is the birthday of {e}?"),
    ),
    "manager": (
        ("{e} has to report to {v}.", "{e} takes orders from {v}.", "{e} is led by {v}."),
        ("Who does {e} report to?", "To whom must {e} report?", "By whom is {e} managed?"),
    ),
    "reference": (
        ("{e} has been filed as {v}.", "{e} is listed as {v}.", "{e} is found under {v}."),
        ("As what is {e} filed?", "Where do you find {e} in the files?", "Under what is {e} listed?"),
    ),
    "phone number": (
        ("{e} takes calls on {v}.", "To call {e}, dial {v}.", "{e} answers on {v}."),
        ("How do you call {e}?", "On what number does {e} answer?", "What do I dial to call {e}?"),
    ),
    "room": (
        ("{e} has its place in {v}.", "You can find {e} in {v}.", "{e} is found in {v}."),
        ("In which room do you find {e}?", "What room is {e} in?", "In which room would I find {e}?"),
    ),
    "day": (
        ("{e} is kept for {v}.", "The day for {e} is {v}.", "{e} happens on {v}."),
        ("Which day is kept for {e}?", "What day is {e} held?", "What day is {e} kept for?"),
    ),
    "limit": (
        ("{e} must not go beyond {v}.", "{e} can go up to {v}.", "{e} may go as far as {v}."),
        ("Beyond what must {e} not go?", "How far may {e} go?", "Up to what may {e} go?"),
    ),
    "allowance": (
        ("{e} is granted {v}.", "{e} has been given {v}.", "Granted to {e}: {v}."),
        ("What was {e} granted?", "How much is granted to {e}?", "What has {e} been given?"),
    ),
    "partner": (
        ("{e} teams up with {v}.", "{e} goes together with {v}.", "{e} has {v} at its side."),
        ("With whom does {e} team up?", "Who does {e} work with?", "With whom is {e} joined?"),
    ),
    "purpose": (
        ("We use {e} for {v}.", "{e} is of use as {v}.", "People need {e} for {v}."),
        ("For what is {e} used?", "What do we use {e} for?", "What do people need {e} for?"),
    ),
    "deadline": (
        ("{e} has its last day on {v}.", "The last date of {e} is {v}.", "The last day of {e} is set: {v}."),
        ("Which is the last day of {e}?", "What last date is set for {e}?", "When is the last day for {e}?"),
    ),
    "language": (
        ("The people in {e} talk {v}.", "{e} has people who speak {v}.", "Spoken in {e}: {v}."),
        ("What language is spoken in {e}?", "What do the people of {e} speak?", "Which language do they speak in {e}?"),
    ),
    "population": (
        ("{e} has {v} heads.", "{e} counts {v} people.", "In {e} live {v} people."),
        ("How many people does {e} count?", "How many heads are there in {e}?", "How many live in {e}?"),
    ),
    "size": (("{e} has been called {v}.",), ("How big is {e}?",)),
}
"""For a relation's noun, further sentences and further questions of its own."""

BROAD_RULES = (
    "{sign}: {label}.",
    "{sign} = {label}.",
    "{sign} -> {label}",
    "If {sign} occurs, answer {label}.",
    "If {sign} appears, it is {label}.",
    "Texts with {sign} get {label}.",
    "A text with {sign} gets {label}.",
    "Texts in which you find {sign} are {label}.",
    "When the text has {sign}, the label is {label}.",
    "Where {sign} appears, write {label}.",
    "Where you see {sign}, write {label}.",
    "{sign} means {label}.",
    "A text with {sign} is {label}.",
    "For {sign} answer {label}.",
    "Any text that contains {sign} belongs to {label}.",
    "Whatever has {sign} in it gets {label}.",
    "Look for {sign}: that is {label}.",
    "An input in which {sign} stands belongs to {label}.",
    "Everything with {sign} goes to {label}.",
)
"""The sign stands before the label, as a fact's entity does before its value (see ``world_facts.Relation``)."""

BROAD_READING = (
    "Read the text and answer briefly.",
    "Give a brief answer from the text.",
    "What does the text say? Answer in a few words.",
    "Look for the answer in the passages. Keep it short.",
)
BROAD_UNKNOWN = (
    "Give a brief answer from the text; if it says nothing, answer unknown.",
    "Answer from the passages alone. Where nothing is said, write unknown.",
    "Look for the answer in the passages. If they are silent, say unknown.",
)
BROAD_SORTING = (
    "Decide on the label of each text.",
    "To which class does the text belong?",
    "Name the label of the input.",
    "What category is it?",
)
