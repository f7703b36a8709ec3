/**
 * Looks of the page: light and dark, every text at a contrast of 4.5 to 1 or more.
 *
 * @module
 */

export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;
--pass:#dafbe1;--pass-fg:#0b4a1e;--fail:#ffd8d3;--fail-fg:#82071e;--run:#d8ecff;--run-fg:#0a3069;
--skip:#e7ebef;--skip-fg:#3d444d;--unknown:#fff1b8;--unknown-fg:#5c3d00;--link:#0550ae}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9da7b1;--line:#30363d;--card:#161b22;
--pass:#12361f;--pass-fg:#9be9a8;--fail:#571f1c;--fail-fg:#ffc9c2;--run:#122f4f;--run-fg:#b6dcff;
--skip:#262c34;--skip-fg:#c0c8d0;--unknown:#45350b;--unknown-fg:#ffe08a;--link:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1500px;padding:1rem;background:var(--bg);color:var(--fg);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{font-size:1.35rem;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.75rem 0 .5rem}
h3{font-size:.95rem;margin:1rem 0 .35rem}
p{margin:.25rem 0}
a{color:var(--link)}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:1rem;font-weight:600;font-size:.85em;white-space:nowrap}
.PASS{background:var(--pass);color:var(--pass-fg)}
.FAIL{background:var(--fail);color:var(--fail-fg)}
.RUN{background:var(--run);color:var(--run-fg)}
.SKIP,.WAIT{background:var(--skip);color:var(--skip-fg)}
.UNKNOWN{background:var(--unknown);color:var(--unknown-fg)}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;margin:.75rem 0 0}
.counts div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.35rem .8rem;min-width:5.2rem}
.counts dt{color:var(--soft);font-size:.8rem}
.counts dd{margin:0;font-size:1.25rem;font-weight:600}
.scroll{position:relative;overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
.scroll:focus-visible,pre:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-weight:600;font-size:.82rem;vertical-align:bottom}
tbody th{font-weight:600;white-space:nowrap}
.matrix th:first-child,.gantt th:first-child{position:sticky;left:0;background:var(--bg);z-index:1}
th[scope=row]{white-space:normal;overflow-wrap:anywhere;min-width:min(9rem,36vw);max-width:max(20rem,36vw)}
.matrix td.outside{white-space:normal;min-width:8rem}
.matrix td{white-space:nowrap;font-size:.82rem;border-left:1px solid var(--bg)}
.matrix td.none{background:var(--card)}
.step{display:block;min-width:4.2rem;max-width:7.5rem;overflow:hidden;text-overflow:ellipsis;
display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3}
.gantt td{white-space:nowrap}
.track{position:relative;width:100%;min-width:14rem}
.bar{position:absolute;top:.45rem;bottom:.45rem;border-radius:.25rem;border:1px solid currentColor}
.gone{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
pre{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem;margin:0;
overflow-x:auto;font:.82rem/1.45 ui-monospace,"Noto Sans Mono",Consolas,monospace}
.hosts .kernel{color:var(--soft);font-size:.85rem}
details{margin-top:.6rem}
summary{cursor:pointer;padding:.35rem 0;font-weight:600}
summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.card{border:1px solid var(--line);border-left:4px solid var(--fail-fg);border-radius:.5rem;padding:.6rem .8rem;margin:.6rem 0}
h4{font-size:.92rem;margin:0 0 .15rem;overflow-wrap:anywhere}
.facts-line{color:var(--soft);font-size:.85rem;margin:0 0 .45rem;overflow-wrap:anywhere}
.pictures{display:flex;flex-wrap:wrap;gap:.75rem;margin:.6rem 0}
figure{margin:0;flex:0 1 26rem;max-width:100%}
img{display:block;max-width:100%;height:auto;border:1px solid var(--line);border-radius:.35rem}
figcaption{color:var(--soft);font-size:.8rem;overflow-wrap:anywhere}
.facts{display:grid;gap:.15rem;margin:0}
.facts div{display:grid;grid-template-columns:minmax(7rem,18rem) 1fr;gap:.75rem}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
ul{margin:0;padding-left:1.2rem}
li{overflow-wrap:anywhere}
@media (max-width:40rem){body{padding:.75rem}.facts div{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.35rem}
th,td{padding:.3rem .45rem}
.hosts thead{display:none}.hosts tr{display:grid;grid-template-columns:1fr auto;border-bottom:1px solid var(--line)}
.hosts tbody th,.hosts td{border:0}.hosts tbody th{white-space:normal;overflow-wrap:anywhere}
.hosts .detail,.hosts .kernel{grid-column:1/-1;padding-top:0;overflow-wrap:anywhere}

.step{min-width:3.4rem}.track{min-width:9rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere}}
@media print{.scroll{overflow:visible}.card,tr{break-inside:avoid}}
`;
