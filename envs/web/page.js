"use strict";
// Every page's only script: it posts what happens to the page and shows what the server answers. Links are links.
const page = (() => {
  let last = Promise.resolve();
  let isLeaving = false;
  const presses = new Set(["Enter", "Escape", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);

  async function tell(id, kind, value) {
    if (isLeaving) return;
    const reply = await fetch(location.href, { method: "POST", body: JSON.stringify([id, kind, value]) });
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    const answer = await reply.json();
    if (answer.go !== undefined) {
      isLeaving = true;
      location.assign(answer.go);
    } else if (answer.body !== undefined) {
      document.title = answer.title;
      document.body.innerHTML = answer.body;
    }
  }

  function post(id, kind, value = "") {
    last = last.then(() => tell(id, kind, value));
    last.catch(() => {});
  }

  const used = (event) => event.target.closest("[id]");
  const isText = (element) => element.matches("input[type=text], input[type=search]");

  document.addEventListener("click", (event) => {
    const element = used(event);
    if (!element || element.getAttribute("aria-disabled") === "true") return;
    if (element.matches("input:not([type=checkbox], [type=radio]), select")) return;
    if (element.matches("a")) isLeaving = true;
    else post(element.id, "click");
  });
  document.addEventListener("mousedown", (event) => {
    if (!event.target.matches("select, input[type=range]")) return; // of a click, fields take the focus and no value
    event.preventDefault(); // and a list's own window, in which keys would be lost, stays closed
    event.target.focus();
  });
  document.addEventListener("input", (event) => {
    const element = used(event);
    if (element && element.matches("input:not([type=checkbox], [type=radio])")) post(element.id, "fill", element.value);
  });
  document.addEventListener("change", (event) => {
    const element = used(event);
    if (element && element.matches("select")) post(element.id, "select", element.selectedOptions[0].textContent);
  });
  document.addEventListener("keydown", (event) => {
    const element = used(event);
    if (!element || !presses.has(event.key)) return;
    if (event.key === "Enter" ? element.matches("a, button") : isText(element)) return; // the browser's own work
    event.preventDefault();
    post(element.id, "press", event.key);
  });
  document.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && post("", "show"));

  return { settled: () => last }; // when the page shows what came of all that happened to it
})();
