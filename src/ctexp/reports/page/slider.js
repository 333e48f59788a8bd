// The operating point: the same numbers as `ctexp.reports.operating`, from the same bits.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("operating-data").textContent);
  const byId = (id) => document.getElementById(id);
  const [choice, slider, back] = [byId("view"), byId("threshold"), byId("back")];
  const FEW = data.few, Z = data.z;

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const unpack = (its) => ({
    ...its,
    score: new Float64Array(bytes(its.score)),
    cancer: new Uint8Array(bytes(its.cancer)),
    group: new Int32Array(bytes(its.group)),
  });

  function designEffect(hits, groups) {
    const sizes = new Map(), found = new Map(), total = hits.length;
    groups.forEach((group, row) => {
      sizes.set(group, (sizes.get(group) ?? 0) + 1);
      found.set(group, (found.get(group) ?? 0) + hits[row]);
    });
    const count = sizes.size;
    if (count === total) return 1;
    let squares = 0, right = 0, apart = 0, withHit = 0, withMiss = 0;
    for (const [group, size] of sizes) { squares += size * size; right += found.get(group); }
    const copies = squares / total, share = right / total;
    if (share === 0 || share === 1 || count === 1) return copies;
    for (const [group, size] of sizes) {
      const hit = found.get(group);
      apart += (hit - share * size) ** 2;
      withHit += hit > 0;
      withMiss += hit < size;
    }
    const between = count / (count - 1) * apart / total ** 2;
    const effect = between / (share * (1 - share) / total);
    return Math.max(1, effect, Math.min(withHit, withMiss) < FEW ? copies : 0);
  }

  function share(hits, groups) {
    const total = hits.length, right = hits.reduce((sum, hit) => sum + hit, 0);
    if (!total) return { hits: 0, total: 0, value: null, low: null, high: null };
    const value = right / total, worth = total / designEffect(hits, groups);
    const shrink = 1 + Z ** 2 / worth;
    const middle = (value + Z ** 2 / (2 * worth)) / shrink;
    const half = Z / shrink * Math.sqrt(value * (1 - value) / worth + Z ** 2 / (4 * worth ** 2));
    return {
      hits: right, total, value,
      low: value === 0 ? 0 : Math.max(0, middle - half),
      high: value === 1 ? 1 : Math.min(1, middle + half),
    };
  }

  function at(view, threshold) {
    const [found, foundOf, spared, sparedOf] = [[], [], [], []];
    view.score.forEach((score, row) => {
      const called = score >= threshold ? 1 : 0;
      if (view.cancer[row]) { found.push(called); foundOf.push(view.group[row]); }
      else { spared.push(1 - called); sparedOf.push(view.group[row]); }
    });
    return { threshold, sensitivity: share(found, foundOf), specificity: share(spared, sparedOf) };
  }

  const tenths = (value) => (Math.floor(1000 * value + 0.5) / 10).toFixed(1);
  const told = (threshold) => threshold > 1 ? "above all" : threshold.toFixed(4);
  const value = (its) => its.value === null ? "–" : `${tenths(its.value)} %`;
  const bounds = (its) => its.value === null ? "no such images"
    : `${tenths(its.low)} to ${tenths(its.high)} %, ${its.hits} of ${its.total}`;

  let view, points;
  const cache = new Map();

  function open(index) {
    if (!cache.has(index)) cache.set(index, unpack(data.views[index]));
    view = cache.get(index);
    const distinct = new Set(view.score);
    distinct.add(view.start);
    points = [...distinct].sort((a, b) => a - b);
    if (points[points.length - 1] < data.nothing) points.push(data.nothing);
    slider.max = points.length - 1;
    slider.value = points.indexOf(view.start);
    drawCurve();
    show();
  }

  const frame = byId("roc-here").dataset;
  const place = (alarms, found) => [
    Number(frame.left) + alarms * (frame.right - frame.left),
    Number(frame.bottom) - found * (frame.bottom - frame.top),
  ];

  function drawCurve() {
    const cancers = view.cancer.reduce((sum, one) => sum + one, 0), normals = view.cancer.length - cancers;
    const order = [...view.score.keys()].sort((a, b) => view.score[b] - view.score[a]);
    let [found, alarms] = [0, 0], path = "M" + place(0, 0).join(" ");
    order.forEach((row, rank) => {
      view.cancer[row] ? found++ : alarms++;
      const next = order[rank + 1];
      if (next !== undefined && view.score[next] === view.score[row]) return;
      path += "L" + place(normals ? alarms / normals : 0, cancers ? found / cancers : 0).map((v) => v.toFixed(1)).join(" ");
    });
    byId("roc-curve").setAttribute("d", path);
  }

  let announcing;
  function show() {
    const now = at(view, points[slider.value]);
    const missed = now.sensitivity.total - now.sensitivity.hits;
    const alarms = now.specificity.total - now.specificity.hits;
    const start = now.threshold === view.start;
    byId("threshold-value").textContent = told(now.threshold);
    byId("threshold-origin").textContent = start ? view.origin : `moved by hand from ${told(view.start)}`;
    byId("sensitivity").textContent = value(now.sensitivity);
    byId("sensitivity-bounds").textContent = bounds(now.sensitivity);
    byId("specificity").textContent = value(now.specificity);
    byId("specificity-bounds").textContent = bounds(now.specificity);
    byId("missed").textContent = missed;
    byId("missed-of").textContent = `of ${now.sensitivity.total} cancers called normal`;
    byId("alarms").textContent = alarms;
    byId("alarms-of").textContent = `of ${now.specificity.total} normal images called cancer`;
    const here = byId("roc-here"), [x, y] = place(1 - (now.specificity.value ?? 1), now.sensitivity.value ?? 0);
    here.setAttribute("cx", x.toFixed(1));
    here.setAttribute("cy", y.toFixed(1));
    const said = `Threshold ${byId("threshold-value").textContent}: sensitivity ${value(now.sensitivity)}, `
      + `specificity ${value(now.specificity)}, ${missed} cancers missed, ${alarms} false alarms`;
    slider.setAttribute("aria-valuetext", said);
    clearTimeout(announcing);
    announcing = setTimeout(() => { byId("announcement").textContent = said; }, 400);
  }

  choice.addEventListener("change", () => open(Number(choice.value)));
  slider.addEventListener("input", show);
  back.addEventListener("click", () => { slider.value = points.indexOf(view.start); show(); });
  open(Number(choice.value));
  document.documentElement.dataset.ready = "yes";
})();
