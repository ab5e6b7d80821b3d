// The browser's half of quiz.py: radio buttons, and below them the explanation of the chosen answer.

let asked = 0; // the radio buttons of a question share a name that no other question on the page has

function add(parent, tag, text = "", attributes = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return parent.appendChild(node);
}

function ask(parent, { question, answers }, number) {
  const name = `diffusion-course-question-${asked++}`;
  const group = add(parent, "fieldset");
  add(group, "legend", `${number}. ${question}`);
  const choices = add(group, "div");
  const explanation = add(group, "p", "", { role: "status" }); // there from the start, so it is read out
  for (const { text, right, because } of answers) {
    const label = add(choices, "label");
    // else Jupyter takes the arrow keys to go to the next cell
    const button = add(label, "input", "", { type: "radio", name, "data-lm-suppress-shortcuts": "true" });
    add(label, "span", text);
    button.addEventListener("change", () => {
      explanation.replaceChildren();
      add(explanation, "b", right ? "✓ Right." : "✗ Not quite.");
      explanation.append(` ${because}`);
    });
  }
}

function render({ model, el }) {
  const quiz = add(el, "div", "", { class: "diffusion-course-quiz" });
  model.get("questions").forEach((question, i) => ask(quiz, question, i + 1));
}

export default { render };
