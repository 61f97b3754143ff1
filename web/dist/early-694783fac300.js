/* SPDX-License-Identifier: Apache-2.0 */
try{let a=document.documentElement,e=JSON.parse(localStorage.getItem("swin2sr.theme")),t=JSON.parse(localStorage.getItem("swin2sr.language"));(e==="light"||e==="dark")&&(a.dataset.theme=e),(t==="en"||t==="zh")&&!a.lang.startsWith(t)&&!/[?&]lang=/.test(location.search)&&location.replace(`?lang=${t}${location.hash}`)}catch{}
