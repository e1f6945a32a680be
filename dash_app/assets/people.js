/* The people page: what is chosen goes to the API, and the page is asked for again. */
(function () {
  'use strict';
  const cg = window.citygrid, page = cg.page;

  async function change(control, method, url, body) {
    control.disabled = true;
    try {
      if (await cg.send(method, url, body)) cg.again();
    } catch (problem) {
      cg.tell(problem);
      control.disabled = false;
    }
  }

  function askHours(button) {
    const dialog = cg.openDialog(document.getElementById('hours-form').content.cloneNode(true), button);
    dialog.querySelector('h2').textContent = button.getAttribute('aria-label');
    const end = dialog.querySelector('[data-end-post]');
    end.addEventListener('click', () => askEnd(button));
    dialog.querySelector('form').addEventListener('submit', async (event) => {
      event.preventDefault();
      const shifts = page.hours[new FormData(event.target).get('hours')];
      try {
        if (await cg.send('PUT', `/api/v1/duties/${button.dataset.hours}/shifts`, { shifts })) cg.again();
      } catch (problem) {
        cg.tell(problem, dialog.querySelector('[data-problem]'));
      }
    });
  }

  function askEnd(button) {
    const dialog = cg.openDialog(document.getElementById('end-form').content.cloneNode(true), button);
    dialog.querySelector('[data-end-what]').textContent = button.dataset.ends;
    dialog.querySelector('form').addEventListener('submit', async (event) => {
      event.preventDefault();
      const done = event.submitter;
      done.disabled = true;
      try {
        if (await cg.send('DELETE', `/api/v1/duties/${button.dataset.hours}`)) cg.again();
      } catch (problem) {
        cg.tell(problem, dialog.querySelector('[data-problem]'));
        done.disabled = false;
      }
    });
  }

  function askWhom(button) {
    const dialog = cg.openDialog(document.getElementById('give-form').content.cloneNode(true), button);
    dialog.querySelector('h2').textContent = button.getAttribute('aria-label');
    const choice = dialog.querySelector('select');
    const trade = choice.querySelector(`[data-role="${button.dataset.give}"]`);
    if (trade) choice.prepend(trade);
    choice.selectedIndex = 0;
    dialog.querySelector('form').addEventListener('submit', async (event) => {
      event.preventDefault();
      const body = { post: button.dataset.give, ground: button.dataset.ground, member_id: Number(choice.value) };
      try {
        if (await cg.send('POST', '/api/v1/duties', body)) cg.again();
      } catch (problem) {
        cg.tell(problem, dialog.querySelector('[data-problem]'));
      }
    });
  }

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    const decision = on('[data-decide]'), hours = on('[data-hours]'), give = on('[data-give]');
    if (hours) return askHours(hours);
    if (give) return askWhom(give);
    if (decision) {
      const leave = decision.closest('[data-leave]'), chosen = leave.querySelector('[data-stand-in]').value;
      const body = { decision: decision.dataset.decide };
      if (chosen && body.decision === 'approve') body.stand_in_id = Number(chosen);
      change(decision, 'POST', `/api/v1/leaves/${leave.dataset.leave}/decision`, body);
    }
  });

  document.addEventListener('change', (event) => {
    const subdistrict = event.target.closest('[data-subdistrict]'), standIn = event.target.closest('[data-stand-in]');
    if (subdistrict) {
      const address = new URLSearchParams(location.search);
      address.set('subdistrict', subdistrict.value);
      location.search = address;
    }
    if (!standIn || !standIn.value) return;
    const leave = standIn.closest('[data-leave]');
    if (leave.classList.contains('asked')) return;   /* sent along with the decision */
    change(standIn, 'PUT', `/api/v1/leaves/${leave.dataset.leave}/stand-in`, { member_id: Number(standIn.value) });
  });
})();
