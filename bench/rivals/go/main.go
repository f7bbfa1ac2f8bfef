// Counts hits in atomics and adds them to Redis each second: rival PORT REDIS_PORT.
// A batch that Redis did not answer is counted again; what Redis did and could not say is doubled.
// GET /stored is the number of hits that Redis has answered for.
package main

import (
	"context"
	"hash/maphash"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/valyala/fasthttp"
)

const (
	shards        = 64
	keysAPipeline = 2000
	prefix        = "/v1/hit/"
)

type shard struct {
	sync.RWMutex
	counts map[string]*atomic.Int64
}

type counter struct {
	seed   maphash.Seed
	shards [shards]shard
	stored atomic.Int64
}

func newCounter() *counter {
	c := &counter{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].counts = map[string]*atomic.Int64{}
	}
	return c
}

func (c *counter) add(page []byte) {
	s := &c.shards[maphash.Bytes(c.seed, page)%shards]
	s.RLock()
	count := s.counts[string(page)]
	s.RUnlock()
	if count == nil {
		s.Lock()
		if count = s.counts[string(page)]; count == nil {
			count = &atomic.Int64{}
			s.counts[string(page)] = count
		}
		s.Unlock()
	}
	count.Add(1)
}

func (c *counter) serve(r *fasthttp.RequestCtx) {
	path := r.Path()
	switch {
	case len(path) > len(prefix) && string(path[:len(prefix)]) == prefix:
		c.add(path[len(prefix):])
		r.SetStatusCode(fasthttp.StatusNoContent)
	case string(path) == "/stored":
		r.SetBodyString(strconv.FormatInt(c.stored.Load(), 10))
	default:
		r.SetStatusCode(fasthttp.StatusNotFound)
	}
}

type batch struct {
	pipe   redis.Pipeliner
	counts []*atomic.Int64
	taken  []int64
}

func (b *batch) send(c *counter) {
	_, err := b.pipe.Exec(context.Background())
	if err != nil {
		log.Print(err)
	}
	for i, n := range b.taken {
		if err != nil {
			b.counts[i].Add(n)
		} else {
			c.stored.Add(n)
		}
	}
	b.counts, b.taken = b.counts[:0], b.taken[:0]
}

func (c *counter) flush(client *redis.Client) {
	b := batch{pipe: client.Pipeline()}
	for i := range c.shards {
		s := &c.shards[i]
		s.RLock()
		pages := make(map[string]*atomic.Int64, len(s.counts))
		for page, count := range s.counts {
			pages[page] = count
		}
		s.RUnlock()
		for page, count := range pages {
			if n := count.Swap(0); n != 0 {
				b.pipe.IncrBy(context.Background(), "tally:"+strings.Replace(page, "/", ":", 1), n)
				b.counts, b.taken = append(b.counts, count), append(b.taken, n)
			}
			if len(b.taken) == keysAPipeline {
				b.send(c)
			}
		}
	}
	b.send(c)
}

func main() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + os.Args[2]})
	c := newCounter()
	server := fasthttp.Server{Handler: c.serve, NoDefaultServerHeader: true, NoDefaultContentType: true, CloseOnShutdown: true}
	go func() {
		if err := server.ListenAndServe("127.0.0.1:" + os.Args[1]); err != nil {
			log.Fatal(err)
		}
	}()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	for second := time.NewTicker(time.Second); ; {
		select {
		case <-second.C:
			c.flush(client)
		case <-end:
			if err := server.Shutdown(); err != nil {
				log.Print(err)
			}
			c.flush(client)
			return
		}
	}
}
