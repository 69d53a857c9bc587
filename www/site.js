/** What a build knows about the place where it is served: addresses in its head and at its foot. */

/** Where the page is to be served, e.g. https://example.org/biggan/: programs that show a link want full addresses. */
const SITE = process.env.BIGGAN_SITE;
/** Of what the page is, with a name; those without an address are left out. */
const LINKS = [
  ["Source", process.env.BIGGAN_SOURCE],
  ["Package", process.env.BIGGAN_PACKAGE],
];

const base = SITE && new URL(SITE.endsWith("/") ? SITE : `${SITE}/`);

/** Makes the card's address a full one, and adds the links to the foot. */
export function site() {
  return {
    name: "site",
    transformIndexHtml: {
      order: "post",
      handler(html, { path }) {
        if (path !== "/index.html") return html;
        const links = LINKS.filter(([, address]) => address).map(
          ([name, address]) => `<a href="${new URL(address).href}">${name}</a>`,
        );
        const whole = html.replace("<!-- links -->", links.join("\n      "));
        if (!base) return whole;
        return {
          html: whole.replaceAll('content="./card.png"', `content="${new URL("card.png", base).href}"`),
          tags: [{ tag: "meta", attrs: { property: "og:url", content: base.href }, injectTo: "head" }],
        };
      },
    },
  };
}
