/* Two pens with the same strokes: one paints on a canvas, one writes SVG. The picture is drawn once, by draw.js. */
(function () {
  "use strict";
  const parts = globalThis.dashboard_lineage_graph.parts;
  const widths = new Map();

  function font(style) {
    return `${style.weight || 400} ${style.size}px ${style.mono ? parts.MONO : parts.SANS}`;
  }
  parts.SANS = '"Inter Variable", Inter, system-ui, sans-serif';
  parts.MONO = '"JetBrains Mono Variable", ui-monospace, monospace';

  /** `text` cut to `width`, with an ellipsis; measured once per text, style and width. */
  parts.fitText = function (ctx, text, style, width) {
    const key = `${style.weight}|${style.size.toFixed(1)}|${style.mono ? 1 : 0}|${Math.round(width)}|${text}`;
    const known = widths.get(key);
    if (known !== undefined) return known;
    ctx.font = font(style);
    let result = text;
    if (ctx.measureText(text).width > width) {
      let low = 0, high = text.length;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (ctx.measureText(text.slice(0, middle) + "…").width <= width) low = middle; else high = middle - 1;
      }
      result = low ? text.slice(0, low) + "…" : "";
    }
    if (widths.size > 20000) widths.clear();
    widths.set(key, result);
    return result;
  };

  parts.CanvasPen = class {
    constructor(ctx) { this.ctx = ctx; this.measure = ctx; }

    alpha(value) { this.ctx.globalAlpha = value; }

    rect(x, y, w, h, r, style) {
      const c = this.ctx;
      c.beginPath();
      if (c.roundRect && r) c.roundRect(x, y, w, h, r); else c.rect(x, y, w, h);
      this.finish(style);
    }

    circle(x, y, r, style) { this.ctx.beginPath(); this.ctx.arc(x, y, r, 0, Math.PI * 2); this.finish(style); }

    /** Several paths of one style, some at a stroke: one by one is slow, and so is one path of thousands. */
    paths(list, style) {
      for (let n = 0; n < list.length; n += 64) this.some(list.slice(n, n + 64), style);
    }

    some(list, style) {
      const c = this.ctx;
      c.beginPath();
      for (const path of list) {
        for (const op of path) {
          if (op[0] === "M") c.moveTo(op[1], op[2]);
          else if (op[0] === "L") c.lineTo(op[1], op[2]);
          else if (op[0] === "C") c.bezierCurveTo(op[1], op[2], op[3], op[4], op[5], op[6]);
          else c.closePath();
        }
      }
      this.finish(style);
    }

    finish(style) {
      const c = this.ctx;
      if (style.fill) { c.fillStyle = style.fill; c.fill(); }
      if (!style.stroke) return;
      c.strokeStyle = style.stroke;
      c.lineWidth = style.width || 1;
      c.lineCap = style.round ? "round" : "butt";
      c.lineJoin = "round";
      if (style.dash) c.setLineDash(style.dash);
      c.stroke();
      if (style.dash) c.setLineDash([]);
    }

    text(text, x, y, style) {
      const c = this.ctx;
      const shown = style.max ? parts.fitText(c, text, style, style.max) : text;
      c.font = font(style);
      c.fillStyle = style.fill;
      c.textAlign = style.align || "left";
      c.textBaseline = "middle";
      c.fillText(shown, x, y);
    }

    width(text, style) { this.ctx.font = font(style); return this.ctx.measureText(text).width; }
  };

  const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const escape = (text) =>
    String(text).replace(/[&<>"']/g, (c) => escapes[c]).replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, "");
  const number = (value) => String(Math.round(value * 100) / 100);

  parts.SvgPen = class {
    constructor(measure) { this.out = []; this.measure = measure; this.opacity = 1; }

    alpha(value) { this.opacity = value; }

    paint(style) {
      let text = `fill="${style.fill || "none"}"`;
      if (style.stroke) {
        text += ` stroke="${style.stroke}" stroke-width="${number(style.width || 1)}" stroke-linejoin="round"`;
        if (style.dash) text += ` stroke-dasharray="${style.dash.map(number).join(" ")}"`;
        if (style.round) text += ' stroke-linecap="round"';
      }
      return this.opacity < 1 ? `${text} opacity="${number(this.opacity)}"` : text;
    }

    rect(x, y, w, h, r, style) {
      const size = `x="${number(x)}" y="${number(y)}" width="${number(w)}" height="${number(h)}"`;
      const radius = Array.isArray(r) ? r[0] : r || 0;
      this.out.push(`<rect ${size} rx="${number(radius)}" ${this.paint(style)}/>`);
    }

    circle(x, y, r, style) {
      this.out.push(`<circle cx="${number(x)}" cy="${number(y)}" r="${number(r)}" ${this.paint(style)}/>`);
    }

    paths(list, style) {
      for (const path of list) {
        const d = path.map((op) => op[0] + op.slice(1).map(number).join(" ")).join("");
        this.out.push(`<path d="${d}" ${this.paint(style)}/>`);
      }
    }

    text(text, x, y, style) {
      const shown = style.max ? parts.fitText(this.measure, text, style, style.max) : text;
      const anchor = { center: "middle", right: "end" }[style.align] || "start";
      const family = escape(style.mono ? parts.MONO : parts.SANS);
      this.out.push(`<text x="${number(x)}" y="${number(y)}" font-family="${family}" font-size="${number(style.size)}" ` +
        `font-weight="${style.weight || 400}" text-anchor="${anchor}" dominant-baseline="central" ` +
        `${this.paint({ fill: style.fill })}>${escape(shown)}</text>`);
    }

    width(text, style) { this.measure.font = font(style); return this.measure.measureText(text).width; }

    svg(box, background) {
      const view = [box.x, box.y, box.w, box.h].map(number).join(" ");
      return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${view}" width="${number(box.w)}" ` +
        `height="${number(box.h)}"><rect x="${number(box.x)}" y="${number(box.y)}" width="100%" height="100%" ` +
        `fill="${background}"/>${this.out.join("")}</svg>`;
    }
  };
})();
