// Runs before a page's own scripts: gives it a clock that we wind, random numbers that are ours until it is told its
// seed, and no other way out. What it leaves for us is taken away before anybody can act on the page.
(() => {
  "use strict";
  const RealDate = Date, realFrame = window.requestAnimationFrame.bind(window);
  const MIDNIGHT = RealDate.UTC(2017, 0, 1), FRAME_MS = 16;
  const timers = new Map();
  let now = 0, count = 0, end = null;

  const later = (action, wait_ms, again_ms) => {
    timers.set(++count, { action, at: now + Math.max(wait_ms, 1), again_ms });
    return count;
  };
  const number = (ms) => Number(ms) || 0;
  const called = (action, given) => () => typeof action === "function" && action.apply(window, given);
  const cancel = (id) => { timers.delete(id); };
  window.setTimeout = (action, ms, ...given) => later(called(action, given), number(ms), 0);
  window.setInterval = (action, ms, ...given) => later(called(action, given), number(ms), Math.max(number(ms), 1));
  window.requestAnimationFrame = (action) => later(() => action(now), FRAME_MS - now % FRAME_MS, 0);
  window.clearTimeout = window.clearInterval = window.cancelAnimationFrame = cancel;
  performance.now = () => now;
  window.Date = class Date extends RealDate {
    constructor(...given) { given.length ? super(...given) : super(MIDNIGHT + now); }
    static now() { return MIDNIGHT + now; }
  };
  window.open = () => null;
  window.alert = window.confirm = window.prompt = window.print = () => undefined;
  let random = 1;
  Math.random = () => (random = random * 48271 % 2147483647) / 2147483647;

  const pictures = [];  // held, so that they are there at once wherever the page shows them
  const drawn = async (picture) => picture.decode().catch(() => {});
  const load = async () => {
    const found = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].flatMap((rule) =>
      [...rule.cssText.matchAll(/url\("([^"]+)"\)/g)].map((one) => new URL(one[1], sheet.href ?? document.baseURI).href)));
    for (const url of new Set(found)) pictures.push(Object.assign(new Image(), { src: url }));
    await Promise.all(pictures.map(drawn));
  };

  const due = (until) => {
    let first = null;
    for (const [id, timer] of timers) if (timer.at <= until && (!first || timer.at < first[1].at)) first = [id, timer];
    return first;
  };
  const wind = async (ms) => {
    await new Promise(realFrame);  // scrolling is told of in a real frame
    await Promise.all([...document.images].map(drawn));
    const until = now + ms;
    for (let first; (first = due(until)); await null) {  // promises settle between timers
      const [id, timer] = first;
      now = Math.max(now, timer.at);
      timer.again_ms ? timer.at = now + timer.again_ms : timers.delete(id);
      try { timer.action(); } catch (error) { console.error(String(error)); }
    }
    now = until;
    return end;
  };

  const begin = async (seed, mode, is_timed) => {
    const endEpisode = (reward, is_decaying, reason) => {
      end ??= { reward: Number(reward) || 0, share: is_decaying ? Math.max(0, 1 - now / core.EPISODE_MAX_TIME) : 1, at: now,
        reason: reason === undefined ? "" : String(reason) };
    };
    Object.defineProperty(core, "endEpisode", { value: endEpisode, writable: false, configurable: false });
    for (const id of ["reward-display", "click-canvas", "sync-task-cover"]) document.getElementById(id).remove();
    document.body.removeEventListener("click", core.canvasDrawClick);
    await load();
    core.setDataMode(mode);
    core.resetRefCode();
    Math.seedrandom(seed);
    genProblem();
    core.clearUserSelection();
    if (is_timed) setTimeout(() => endEpisode(-1, false, "timed out"), core.EPISODE_MAX_TIME);
    const told = core.getUtterance();
    return typeof told === "string" ? { utterance: told, fields: {} } : told;
  };
  window.palestraStage = { begin, wind };
})();
