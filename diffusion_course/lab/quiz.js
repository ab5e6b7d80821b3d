// quiz.py's half: radio buttons, and below them the explanation of the chosen answer. Nothing is scored or kept.

let questionsSoFar = 0; // the radio buttons of a question share a name that no other question on the page has

function question(parent, { question, answers }, number) {
  const name = `dc-question-${questionsSoFar++}-${Math.random().toString(36).slice(2)}`;
  const group = add(parent, "fieldset");
  add(group, "legend").innerHTML = `${number}. ${question}`;
  const choices = add(group, "div");
  const explanation = add(group, "p", { role: "status" }); // there from the start, so it is read out
  for (const { text, right, because } of answers) {
    const label = add(choices, "label");
    const input = add(label, "input", { type: "radio", name });
    add(label, "span").innerHTML = text;
    input.addEventListener("change", () => {
      explanation.className = right ? "right" : "wrong";
      explanation.innerHTML = `<b>${right ? "✓ Right." : "✗ Not quite."}</b> ${because}`;
    });
  }
}

function mount(stage, { questions }) {
  const quiz = add(stage, "div", { class: "dc-quiz" });
  questions.forEach((one, i) => question(quiz, one, i + 1));
}
