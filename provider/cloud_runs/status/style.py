"""The style of the page."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f8fa; --line: #d1d9e0; --text: #1f2328; --muted: #59636e; --focus: #0550ae;
  --succeeded: #116329; --failed: #b3152a; --cancelled: #7d4e00; --running: #0550ae; --pending: #6639ba;
  --unknown: #59636e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --panel: #161b22; --line: #3d444d; --text: #e6edf3; --muted: #9da7b3; --focus: #79c0ff;
    --succeeded: #56d364; --failed: #ff8f87; --cancelled: #e3b341; --running: #79c0ff; --pending: #d2a8ff;
    --unknown: #9da7b3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", "PingFang SC",
    "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .75rem; font-size: 1.1rem; }
h3 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
p { margin: .25rem 0; }
.muted { color: var(--muted); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.counts a { display: block; padding: .15rem .7rem; border: 1px solid; border-radius: 1rem; text-decoration: none;
  font-weight: 600; }
.counts a:hover { text-decoration: underline; }
.succeeded { color: var(--succeeded); } .failed, .missing, .not_answered { color: var(--failed); }
.cancelled { color: var(--cancelled); } .running { color: var(--running); }
.pending { color: var(--pending); } .unknown { color: var(--unknown); }
:focus-visible { outline: 3px solid; outline-color: var(--focus); outline-offset: 2px; }
details { margin-top: 2rem; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; }
summary { font-size: 1.1rem; font-weight: 600; color: var(--succeeded); cursor: pointer; }
details h2 { margin-top: 1rem; }
figure { margin: 0 0 .75rem; padding: .75rem 1rem; background: var(--panel); border-radius: .5rem; }
.timeline { position: relative; font-size: .9rem; line-height: 1.25; overflow-wrap: anywhere; }
.row { display: grid; grid-template-columns: 13rem minmax(0, 1fr) 11rem; column-gap: 1rem; }
.grid { position: absolute; top: 1.4em; bottom: 0; left: 14rem; right: 12rem; }
.grid i { position: absolute; top: 0; bottom: 0; border-left: 1px solid var(--line); }
.label { grid-column: 1; grid-row: 1; }
.lane { grid-column: 2; grid-row: 1; position: relative; }
.phase { grid-column: 3; grid-row: 1; }
.label, .phase { align-self: center; padding: .35em 0; }
.ticks .lane { height: 2.8em; }
.tick {
  position: absolute; bottom: .25em; width: 14%; margin-left: -7%; text-align: center; font-size: .85em;
}
.bar {
  position: absolute; top: 50%; height: .95em; min-width: 4px; transform: translateY(-50%);
  border: 1px solid; border-radius: 3px; forced-color-adjust: none;
}
.closed { background: currentColor; }
.open { border-style: dashed; }
.open::before { content: ""; position: absolute; inset: 0; background: currentColor; opacity: .25; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; overflow-wrap: anywhere; }
th, td { padding: .5rem .75rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
th:nth-child(1) { width: 18%; } th:nth-child(2) { width: 13%; } th:nth-child(3) { width: 29%; }
th:nth-child(4) { width: 10%; } th:nth-child(5) { width: 9%; } th:nth-child(6) { width: 21%; }
thead th { background: var(--panel); font-size: .85rem; }
tbody th { font-weight: 600; }
tbody:target { outline: 2px solid var(--line); outline-offset: -2px; }
.kind { display: block; font-weight: 400; font-size: .85rem; color: var(--muted); }
code { font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.when { white-space: pre-wrap; }
.phase-cell b { font-weight: 600; }
.reasons { padding-left: 1.25rem; }
.remarks ul { margin: 0; padding: 0; list-style: none; }
a { color: inherit; text-underline-offset: 2px; }
@media screen and (max-width: 47rem) {
  details { padding: .5rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tbody tr {
    display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 1rem; padding: .6rem 0;
    border-top: 1px solid var(--line);
  }
  th:nth-child(1), td { width: auto; padding: 0; border: 0; }
  td:empty, td:has(> ul:empty) { display: none; }
  .phase-cell { text-align: right; }
  .remarks, .id { grid-column: 1 / 3; }
  .when { white-space: normal; }
  .duration { text-align: right; }
  .row { grid-template-columns: minmax(0, 1fr) auto; }
  .lane { grid-column: 1 / 3; grid-row: 2; height: 1.2em; }
  .phase { grid-column: 2; text-align: right; }
  .label, .phase { padding: .35em 0 0; }
  .grid { display: none; }
  .tick { width: 18%; margin-left: -9%; }
  .tick:nth-child(even) { display: none; }
}
@media print {
  @page { size: landscape; margin: 12mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  details { border: 0; padding: 0; }
  details::details-content { content-visibility: visible; display: block; }
  figure { padding: 0; background: none; break-inside: avoid; }
  .bar, .bar::before, .counts a { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  th, td { padding: .3rem .4rem; }
  thead th { background: none; }
  tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  code, .kind, thead th { font-size: 8pt; }
}
"""
