// What is asked of one element, in a world of its own that the page's scripts cannot see. Each function is called with
// the element as `this` and returns an object; `error` in it tells an agent why nothing was done.
({
  point() {
    const element = this.nodeType === 1 ? this : this.parentElement;
    if (!element || !element.isConnected) return { error: "it is no longer on the page" };
    element.scrollIntoViewIfNeeded();
    const rects = [...element.getClientRects()].filter((rect) => rect.width > 0 && rect.height > 0);
    if (!rects.length) return { error: "it is not visible" };
    let cover = null;
    for (const rect of rects) {
      for (const [across, down] of [[0.5, 0.5], [0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]) {
        const x = rect.left + rect.width * across, y = rect.top + rect.height * down;
        const hit = document.elementFromPoint(x, y);
        if (hit && (element.contains(hit) || hit.control === element)) return { x, y };
        cover ??= hit;
      }
    }
    return { error: cover ? `a ${cover.localName} covers it` : "it is outside the window" };
  },
  focus() {
    if (!this.isConnected) return { error: "it is no longer on the page" };
    if (this.disabled) return { error: "it is disabled" };
    this.focus();
    return {};
  },
  prepare(value) {
    const isField = this instanceof HTMLInputElement || this instanceof HTMLTextAreaElement;
    if (!this.isConnected) return { error: "it is no longer on the page" };
    if (!isField && !this.isContentEditable) return { error: `a ${this.localName} cannot be filled` };
    if (this.disabled) return { error: "it is disabled" };
    if (this.readOnly) return { error: "it can only be read" };
    if (["checkbox", "radio", "button", "submit", "reset", "file", "image"].includes(this.type))
      return { error: `a ${this.type} cannot be filled` };
    this.focus();
    if (["date", "time", "month", "week", "datetime-local", "color", "range"].includes(this.type)) {
      this.value = value;
      if (this.value !== value) return { error: `a field of type ${this.type} does not take ${JSON.stringify(value)}` };
      this.dispatchEvent(new Event("input", { bubbles: true }));
      this.dispatchEvent(new Event("change", { bubbles: true }));
      return { isDone: true };
    }
    if (isField) this.select();
    else getSelection().selectAllChildren(this);
    return {};
  },
  choose(wanted) {
    if (!this.isConnected) return { error: "it is no longer on the page" };
    if (!(this instanceof HTMLSelectElement)) return { error: `a ${this.localName} has no options to select` };
    if (this.disabled) return { error: "it is disabled" };
    if (!this.multiple && wanted.length !== 1) return { error: "exactly one of its options can be selected" };
    const text = (option) => option.label.trim().replace(/\s+/g, " ");
    const options = [...this.options], chosen = [];
    for (const one of wanted) {
      const found = options.find((option) => text(option) === one || option.value === one);
      if (!found) return { error: `it has no option ${JSON.stringify(one)}; it has: ${options.map(text).join(", ")}` };
      chosen.push(found);
    }
    this.focus();
    for (const option of options) option.selected = chosen.includes(option);
    this.dispatchEvent(new Event("input", { bubbles: true }));
    this.dispatchEvent(new Event("change", { bubbles: true }));
    return {};
  },
  scroll(x, y, deltaX, deltaY) {
    const above = (one) => one ? [one, ...above(one.parentElement)] : [];
    const has = (one) => (deltaY && one.scrollHeight > one.clientHeight || deltaX && one.scrollWidth > one.clientWidth)
      && /auto|scroll/.test(getComputedStyle(one).overflow);
    const under = [...above(document.elementFromPoint(x, y)), ...above(document.activeElement)];
    const found = [...under, ...document.body.querySelectorAll("*")].find(has) ?? document.scrollingElement;
    found.scrollBy({ left: deltaX, top: deltaY, behavior: "instant" });
    return {};
  },
})
