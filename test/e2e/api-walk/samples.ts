/** What the stories of the walk are told of. */

export const ADDRESS = {
  ...{ customerName: 'Hotdesk Demo', houseNumber: '10', street: 'Example Street', city: 'London' },
  ...{ postcode: 'EC1A 1AA', country: 'GB' },
};
export const YORK = {
  ...{ id: 'york', name: 'York', timeZone: 'Europe/London', callbackNumber: '+441904960100' },
};
export const NIA = { extension: '1050', name: 'Nia Ash', site: 'york', callerId: '+441904960150' };
