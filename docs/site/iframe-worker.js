// Search of a site that is opened from a folder: browsers give such pages no workers, so that a frame takes the place of one.
if (location.protocol === "file:") {
  let number = 0
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.waiting = []
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.appendChild(this.frame)
      const name = `__worker${number++}`
      window[name] = data => {
        const event = new MessageEvent("message", { data })
        this.dispatchEvent(event)
        if (this.onmessage) this.onmessage(event)
      }
      const inside = this.frame.contentDocument
      inside.open()
      inside.write(
        `<html><body><script>
          self.postMessage = data => parent.${name}(data)
          self.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise(done => {
            const script = document.createElement("script")
            script.src = url
            script.onload = script.onerror = done
            document.body.appendChild(script)
          })), Promise.resolve())
        <\/script><script src="${url}"><\/script></body></html>`
      )
      inside.close()
      this.frame.onload = () => {
        this.ready = true
        for (const data of this.waiting) this.postMessage(data)
      }
    }
    postMessage(data) {
      if (!this.ready) this.waiting.push(data)
      else this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }))
    }
    terminate() {
      this.frame.remove()
    }
  }
}
