/// The style sheet and the two small scripts of a page.
enum PageStyle {
  /// Colours are variables. The system's preference chooses them, unless the reader has pressed the button, which sets
  /// `data-theme` on the root; paper is always light.
  static var sheet: String {
    """
    :root{color-scheme:light;\(Palette.light.variables)}
    @media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;\(Palette.dark.variables)}}
    @media screen{:root[data-theme=dark]{color-scheme:dark;\(Palette.dark.variables)}}
    \(layout)
    \(FigureStyle.embedded)

    """
  }

  /// Runs in the head, before anything is painted: brings back the reader's choice.
  static let restoreTheme =
    "try{var t=localStorage.getItem('theme');if(t=='dark'||t=='light')document.documentElement.dataset.theme=t}catch(e){}"

  /// Shows the button, which switches to the other theme and remembers it.
  static let toggleTheme = """
    (function(){var r=document.documentElement,b=document.getElementById('theme'),\
    m=matchMedia('(prefers-color-scheme: dark)');\
    function dark(){var t=r.dataset.theme;return t?t=='dark':m.matches}\
    function name(){b.textContent=dark()?'Light theme':'Dark theme'}\
    b.onclick=function(){r.dataset.theme=dark()?'light':'dark';\
    try{localStorage.setItem('theme',r.dataset.theme)}catch(e){}name()};\
    m.addEventListener('change',name);name();b.hidden=false})()
    """

  private static let layout = """
    *,*::before,*::after{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;background:var(--fx-paper);color:var(--fx-ink);font:16px/1.6 \(FigureStyle.fonts)}
    main,footer{max-width:1108px;margin:0 auto;padding:0 24px}
    main{padding-top:56px}
    h1{font-size:34px;line-height:1.15;letter-spacing:-.015em;font-weight:650;margin:0;text-wrap:balance;overflow-wrap:anywhere}
    h2{font-size:21px;line-height:1.3;letter-spacing:-.005em;font-weight:650;margin:0 0 14px;overflow-wrap:anywhere}
    .subtitle{font-size:18px;line-height:1.5;color:var(--fx-soft);margin:10px 0 0;max-width:46em;text-wrap:pretty}
    section{margin-top:52px}
    p,ul{max-width:44em;margin:0 0 16px;text-wrap:pretty;overflow-wrap:break-word}
    ul{padding-left:1.2em}
    .key-figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:24px 32px;\
    margin:36px 0 0;padding:22px 0;border-top:1px solid var(--fx-rule);border-bottom:1px solid var(--fx-rule)}
    .key-figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
    .key-figures dd{margin:0;font-size:29px;line-height:1.2;font-weight:600;letter-spacing:-.015em;\
    font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
    .key-figures dt{color:var(--fx-soft);font-size:14px;line-height:1.45;margin-top:5px}
    figure{margin:22px 0 26px}
    figcaption{font-size:14px;line-height:1.5;color:var(--fx-soft);margin-top:8px;max-width:50em;text-wrap:pretty}
    svg.fx{display:block;max-width:100%;height:auto;overflow:visible}
    svg.shared{position:absolute;width:0;height:0}
    .narrow{display:none}
    .row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:4px 20px;align-items:start}
    .row>div{min-width:0}
    .row figure{margin:10px 0 20px}
    .images{margin:0 0 12px}
    .images span{display:block;font-size:13px;color:var(--fx-soft);margin-bottom:4px}
    .images div{display:flex;flex-wrap:wrap;gap:4px}
    .images img{image-rendering:pixelated;display:block}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;width:max-content;max-width:max(100%,720px);font-size:14.5px;line-height:1.45;font-variant-numeric:tabular-nums}
    th{text-align:left;font-weight:600;color:var(--fx-soft);font-size:13px;vertical-align:bottom}
    th,td{padding:7px 22px 7px 0;border-bottom:1px solid var(--fx-rule);vertical-align:baseline}
    thead th{border-bottom:1px solid var(--fx-muted)}
    th:last-child,td:last-child{padding-right:2px}
    .num{text-align:right;white-space:nowrap}
    sup{font-size:.75em;line-height:0}
    .verdict{white-space:nowrap;font-weight:600}
    .pass{color:var(--fx-pass)}
    .fail{color:var(--fx-fail)}
    .skipped{color:var(--fx-soft)}
    code,pre{font-family:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    code{font-size:.92em}
    pre{background:var(--fx-surface);border-radius:6px;padding:14px 16px;margin:16px 0 22px;overflow-x:auto;\
    font-size:13.5px;line-height:1.55;tab-size:4}
    pre code{font-size:inherit}
    .definitions{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr));gap:0 36px;\
    margin:0 0 20px;font-size:14.5px}
    .definitions div{display:flex;gap:14px;justify-content:space-between;padding:6px 0;border-bottom:1px solid var(--fx-rule)}
    .definitions dt{color:var(--fx-soft)}
    .definitions dd{margin:0;text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
    footer{display:flex;flex-wrap:wrap;gap:4px 22px;margin-top:64px;padding-top:18px;padding-bottom:44px;\
    color:var(--fx-soft);font-size:13.5px;position:relative}
    footer::before{content:"";position:absolute;top:0;left:24px;right:24px;border-top:1px solid var(--fx-rule)}
    #theme{position:absolute;top:16px;right:24px;font:inherit;font-size:13px;line-height:1;padding:8px 12px;cursor:pointer;\
    color:var(--fx-soft);background:transparent;border:1px solid var(--fx-rule);border-radius:6px}
    #theme:hover{color:var(--fx-ink);border-color:var(--fx-muted)}
    :focus-visible{outline:2px solid var(--fx-accent);outline-offset:2px}
    @media (max-width:640px){main,footer{padding-left:16px;padding-right:16px}main{padding-top:60px}h1{font-size:27px}\
    section{margin-top:40px}.subtitle{font-size:16.5px}.key-figures{gap:18px}.key-figures dd{font-size:25px}\
    .wide{display:none}.narrow{display:block}.narrow svg.fx{width:100%;max-width:440px}#theme{right:16px}th,td{padding-right:16px}\
    footer::before{left:16px;right:16px}}
    @media print{@page{margin:16mm}.row{grid-template-columns:1fr 1fr}body{font-size:10.5pt}main,footer{max-width:none;padding-left:0;padding-right:0}\
    main{padding-top:0}#theme{display:none!important}figure,.key-figures,tr,pre{break-inside:avoid}\
    h2{break-after:avoid}.wide{display:block}.narrow{display:none}pre{white-space:pre-wrap}.scroll{overflow:visible}}
    """
}
