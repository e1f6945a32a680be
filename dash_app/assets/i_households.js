/* The households of a building: asked for in a dialog, masked; one person opened for a purpose; who looked. */
(function () {
  'use strict';
  const cg = window.citygrid;
  const make = (name, words, cls) => Object.assign(document.createElement(name), { textContent: words || '', className: cls || '' });
  const button = (words, act) => {
    const made = Object.assign(make('button', words, 'btn small'), { type: 'button' });
    made.addEventListener('click', () => act(made));
    return made;
  };

  document.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-households]');
    if (!opener) return;
    const template = opener.parentElement.querySelector('[data-household-dialog]');
    const dialog = cg.openDialog(template, opener, () => {});
    dialog.classList.add('wide');
    fill(dialog, opener.dataset.households, opener.dataset.supervises !== undefined);
  });

  async function ask(dialog, url, body) {
    const list = dialog.querySelector('[data-list]');
    list.setAttribute('aria-busy', 'true');
    try {
      return body ? await cg.postJson(url, body) : await cg.getJson(url);
    } catch (problem) {
      cg.tell(problem, dialog);
      return null;
    } finally {
      list.removeAttribute('aria-busy');
    }
  }

  async function fill(dialog, building, supervises) {
    const list = dialog.querySelector('[data-list]');
    const answer = await ask(dialog, `/api/v1/buildings/${building}/households`);
    if (!answer) { list.textContent = ''; return; }
    dialog.querySelector('[data-recorded]').textContent = cg.say('households.recorded');
    if (!answer.households.length) { list.textContent = cg.say('households.none'); return; }
    list.replaceChildren(...answer.households.map((home) => household(dialog, home, supervises)));
  }

  function household(dialog, home, supervises) {
    const box = make('section', '', 'household');
    const head = make('header', '', 'row');
    const parts = [home.unit && cg.say('building.unit', { unit: home.unit }), home.floor !== null && cg.say('building.floor', { n: home.floor }),
      home.door && cg.say('households.at', { door: home.door })];
    head.append(make('b', parts.filter(Boolean).join(' ')), make('span', '', 'grow'));
    if (supervises) head.append(button(cg.say('households.looks'), (self) => looks(dialog, home.id, box, self)));
    box.append(head, ...home.residents.map((one) => person(dialog, one)));
    if (!home.residents.length) box.append(make('div', cg.say('households.nobody'), 'mute s12'));
    return box;
  }

  function person(dialog, one) {
    const line = make('div', '', 'row person');
    const name = make('span', one.name, 'name'), phone = make('span', one.phone || cg.say('households.no_phone'), 'phone');
    line.append(name);
    if (one.is_head) line.append(make('span', cg.say('households.head'), 'chip'));
    one.tags.forEach((tag) => line.append(make('span', cg.page.texts[`households.tag.${tag}`] || tag, 'chip warn')));
    line.append(make('span', '', 'grow'), phone, button(cg.say('households.unmask'), (self) => {
      self.hidden = true;
      const under = formUnder(line, dialog.querySelector('[data-purpose]'));
      const chosen = under.querySelector('select');
      under.querySelector('[data-confirm]').addEventListener('click', async () => {
        if (!chosen.value) { chosen.focus(); return; }
        const opened = await ask(dialog, `/api/v1/residents/${one.id}/unmask`, { purpose: chosen.value });
        if (!opened) return;
        name.textContent = opened.name;
        phone.textContent = opened.phone || cg.say('households.no_phone');
        line.classList.add('opened');
        under.remove();
        if (dialog.querySelector('[data-correction]')) line.append(corrector(dialog, one.id, line, { name, phone }));
      });
    }));
    return line;
  }

  function formUnder(line, template) {
    const under = make('div', '', 'row purpose');
    under.append(template.content.cloneNode(true));
    line.after(under);
    under.querySelector('select').focus();
    return under;
  }

  /* one field of an opened person put right, with its reason; `shown` are the places that show the fields */
  function corrector(dialog, resident, line, shown) {
    return button(cg.say('households.correct'), (self) => {
      self.hidden = true;
      const under = formUnder(line, dialog.querySelector('[data-correction]'));
      const [field, value, reason] = ['field', 'value', 'reason'].map((name) => under.querySelector(`[name=${name}]`));
      under.querySelector('[data-confirm]').addEventListener('click', async () => {
        if (!reason.value.trim()) { reason.focus(); return; }
        const told = { field: field.value, value: value.value.trim() || null, reason: reason.value.trim() };
        if (!await ask(dialog, `/api/v1/residents/${resident}/corrections`, told)) return;
        shown[field.value].textContent = told.value || cg.say('households.no_phone');
        under.remove();
        self.hidden = false;
      });
    });
  }

  async function looks(dialog, household, box, self) {
    self.disabled = true;
    const answer = await ask(dialog, `/api/v1/households/${household}/looks`);
    if (!answer) { self.disabled = false; return; }
    const when = (text) => new Date(text).toLocaleString(cg.page.language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'short', timeStyle: 'short' });
    const lines = answer.looks.map((look) => {
      const purpose = look.purpose && dialog.querySelector('[data-purpose]').content.querySelector(`option[value="${look.purpose}"]`)?.textContent;
      return make('li', [when(look.at), look.username, cg.say(`households.did.${look.action}`), purpose, look.face, look.origin].filter(Boolean).join(' · '));
    });
    const shown = make('ul', '', 'looks');
    shown.append(...(lines.length ? lines : [make('li', cg.say('households.no_looks'))]));
    box.append(shown);
    self.remove();
  }
})();
