/* Marker images, drawn on demand.
 *
 * A case's clock is told by outline first and colour second: circle, diamond, octagon with !, square with bars,
 * small disc with a tick; hollow means not yet dispatched; the category's glyph is knocked out of the shape.
 * Image names carry everything needed to draw them:
 *   case|clock|hollow|icon       cluster|overdue|due_soon|in_time|paused       label|kind|text
 */
(function () {
  'use strict';
  const RATIO = 2;
  const FONT = '"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",system-ui,sans-serif';
  const OUTLINE = {
    in_time: 'M11 0A11 11 0 1 1-11 0A11 11 0 1 1 11 0z',
    due_soon: 'M0-13.5 13.5 0 0 13.5-13.5 0z',
    overdue: 'M-5.4-12.6H5.4L12.6-5.4V5.4L5.4 12.6H-5.4L-12.6 5.4V-5.4z',
    paused: 'M-7.5-10.5H7.5A3 3 0 0 1 10.5-7.5V7.5A3 3 0 0 1 7.5 10.5H-7.5A3 3 0 0 1-10.5 7.5V-7.5A3 3 0 0 1-7.5-10.5z',
    closed: 'M7 0A7 7 0 1 1-7 0A7 7 0 1 1 7 0z',
  };

  function variable(name) {
    return getComputedStyle(document.documentElement).getPropertyValue('--cg-' + name).trim();
  }

  function colours(clock) {
    const key = clock.replace('_', '-');
    return { fill: variable(key + '-fill'), halo: variable('halo'), ink: variable('ink') };
  }

  function canvas(width, height) {
    const element = document.createElement('canvas');
    element.width = Math.ceil(width * RATIO);
    element.height = Math.ceil(height * RATIO);
    const context = element.getContext('2d', { willReadFrequently: true });
    context.scale(RATIO, RATIO);
    return context;
  }

  function finish(context) {
    const { width, height } = context.canvas;
    return { data: context.getImageData(0, 0, width, height), pixelRatio: RATIO };
  }

  function glyph(name) {
    const path = document.querySelector('#i-' + CSS.escape(name) + ' path');
    return path ? path.getAttribute('d') : '';
  }

  function drawCase(clock, hollow, icon) {
    const size = 36, half = size / 2, colour = colours(clock);
    const context = canvas(size, size), outline = new Path2D(OUTLINE[clock] || OUTLINE.in_time);
    context.translate(half, half);
    context.lineJoin = context.lineCap = 'round';
    context.save();
    context.scale(1.17, 1.17);
    context.globalAlpha = 0.95;
    context.fillStyle = colour.halo;
    context.fill(outline);
    context.restore();
    if (clock === 'closed') {
      context.fillStyle = colour.fill;
      context.fill(outline);
      context.strokeStyle = colour.halo;
      context.lineWidth = 1.7;
      context.stroke(new Path2D('M-3.2.2-1 2.5 3.3-2.3'));
      return finish(context);
    }
    context.fillStyle = hollow ? colour.halo : colour.fill;
    context.fill(outline);
    if (hollow) {
      context.strokeStyle = colour.fill;
      context.lineWidth = 2.2;
      context.stroke(outline);
    }
    const shape = icon && glyph(icon);
    if (shape) {
      context.save();
      context.translate(-6.6, -6.6);
      context.scale(0.66, 0.66);
      context.strokeStyle = hollow ? colour.fill : colour.halo;
      context.lineWidth = 2;
      context.stroke(new Path2D(shape));
      context.restore();
    }
    if (clock === 'overdue') {
      context.translate(10, -11);
      context.fillStyle = colour.halo;
      context.fill(new Path2D('M6 0A6 6 0 1 1-6 0A6 6 0 1 1 6 0z'));
      context.fillStyle = colour.fill;
      context.fill(new Path2D('M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0z'));
      context.strokeStyle = colour.halo;
      context.lineWidth = 1.7;
      context.stroke(new Path2D('M0-2.6V.6M0 2.5v.1'));
    }
    return finish(context);
  }

  function drawCluster(counts) {
    const order = ['overdue', 'due_soon', 'in_time', 'paused'];
    const total = counts.reduce((sum, count) => sum + count, 0);
    const size = total > 99 ? 46 : 40, half = size / 2, radius = half - 4.5;
    const context = canvas(size, size);
    context.translate(half, half);
    context.globalAlpha = 0.95;
    context.fillStyle = variable('halo');
    context.beginPath();
    context.arc(0, 0, half - 0.5, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 4.4;
    let from = -Math.PI / 2;
    const several = counts.filter(Boolean).length > 1, gap = several ? 0.09 : 0;
    order.forEach((clock, index) => {
      if (!counts[index]) return;
      const to = from + (2 * Math.PI * counts[index]) / total;
      context.strokeStyle = colours(clock).fill;
      context.beginPath();
      context.arc(0, 0, radius, from + gap, Math.max(to - gap, from + gap + 0.02));
      context.stroke();
      from = to;
    });
    context.fillStyle = variable('ink');
    context.font = '700 13px ' + FONT;
    context.textAlign = 'center';
    context.fillText(String(total), 0, 4.6);
    return finish(context);
  }

  /* A tag on the map: `cell` solid in accent, `second` outlined and dashed, `metres` white with a hairline. */
  function drawLabel(kind, text) {
    const bold = kind !== 'second', font = (bold ? '700 ' : '400 ') + '12px ' + FONT;
    const probe = canvas(1, 1);
    probe.font = font;
    const width = Math.ceil(probe.measureText(text).width) + (kind === 'metres' ? 12 : 24);
    const height = kind === 'metres' ? 18 : 26;
    const lift = { cell: 44, second: 0, metres: 26 }[kind] || 0;
    const context = canvas(width + 4, height + 4 + lift * 2);
    context.translate(2, 2);
    context.beginPath();
    context.roundRect(0, 0, width, height, 5);
    context.fillStyle = kind === 'cell' ? variable('accent') : variable('panel');
    context.fill();
    if (kind !== 'cell') {
      if (kind === 'second') context.setLineDash([4, 3]);
      context.strokeStyle = kind === 'second' ? variable('accent') : variable('line-strong');
      context.stroke();
    }
    context.fillStyle = { cell: variable('on-accent'), second: variable('accent') }[kind] || variable('ink');
    context.font = font;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(text, width / 2, height / 2 + 1);
    return finish(context);
  }

  function draw(name) {
    const [kind, ...parts] = name.split('|');
    if (kind === 'case') return drawCase(parts[0], parts[1] === '1', parts[2]);
    if (kind === 'cluster') return drawCluster(parts.map(Number));
    if (kind === 'label') return drawLabel(parts[0], parts.slice(1).join('|'));
    return null;
  }

  window.citygrid = Object.assign(window.citygrid || {}, { markers: { draw } });
})();
