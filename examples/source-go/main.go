// Command source-go is a small source: a program that becomes an institution of Samla by
// speaking the source protocol (docs/source-protocol/README.md). It has one institution, a
// pension company of which everybody is a customer: the person "signs" with BankID,
// types the code 123456, and owns a pension and a savings account.
//
// It uses only the standard library. Copy it, and put your own data in data.go.
package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"
)

// object is a JSON object.
type object = map[string]any

// source has the sessions, and the answers that were given, by Request-Id.
type source struct {
	secret   string
	mu       sync.Mutex // taken for a whole request: a request that is repeated meanwhile waits
	sessions map[string]*session
	answered map[string]answer
}

// answer is what a request was answered, so that a repeated one gets the same.
type answer struct {
	status int
	body   object
	at     time.Time
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8096", "address to listen on")
	flag.Parse()
	s := &source{secret: os.Getenv("SOURCE_SECRET"), sessions: map[string]*session{}, answered: map[string]answer{}}
	if s.secret == "" {
		log.Fatal("set SOURCE_SECRET to the secret that Samla sends")
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", l.Addr())
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(l))
}

func (s *source) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/institutions", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, object{"protocol": 1, "institutions": []object{institution}})
	})
	mux.HandleFunc("POST /v1/sessions", s.once(func(_ string, in object) (int, object) { return s.login(in) }))
	mux.HandleFunc("GET /v1/sessions/{id}/turn", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		status, body := s.with(r.PathValue("id"), func(p *session) (int, object) { return http.StatusOK, object{"turn": p.now()} })
		write(w, status, body)
	})
	mux.HandleFunc("POST /v1/sessions/{id}/answers", s.once(func(id string, in object) (int, object) {
		return s.with(id, func(p *session) (int, object) { return p.answer(in) })
	}))
	mux.HandleFunc("POST /v1/sessions/{id}/pages", s.once(func(id string, in object) (int, object) {
		return s.with(id, func(p *session) (int, object) { return p.page(in) })
	}))
	mux.HandleFunc("DELETE /v1/sessions/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, r.PathValue("id"))
		w.WriteHeader(http.StatusNoContent)
	})
	return s.authorized(mux)
}

// authorized answers 401 to a request without the secret.
func (s *source) authorized(next http.Handler) http.Handler {
	want := []byte("Bearer " + s.secret)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			write(w, http.StatusUnauthorized, object{"error": "UNAUTHORIZED"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

var requestID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// once calls do once for each Request-Id, and repeats its answer.
func (s *source) once(do func(session string, in object) (int, object)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in object
		id := r.Header.Get("Request-Id")
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
		if err != nil || in == nil || !requestID.MatchString(id) {
			write(w, http.StatusBadRequest, object{"error": "BAD_REQUEST"})
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget()
		key := r.URL.Path + " " + id
		given, repeated := s.answered[key]
		_, lives := s.sessions[r.PathValue("id")]
		if !repeated || (r.PathValue("id") != "" && !lives) {
			given.status, given.body = do(r.PathValue("id"), in)
			given.at = time.Now()
			if given.status < 300 { // what was refused had no effect, and may be tried again
				s.answered[key] = given
			}
		}
		write(w, given.status, given.body)
	}
}

// forget drops what is too old: answers after an hour, sessions after ten minutes.
func (s *source) forget() {
	for key, a := range s.answered {
		if time.Since(a.at) > time.Hour {
			delete(s.answered, key)
		}
	}
	for id, p := range s.sessions {
		if time.Since(p.used) > 10*time.Minute {
			delete(s.sessions, id)
		}
	}
}

func (s *source) login(in object) (int, object) {
	number, _ := in["personalNumber"].(string)
	method, _ := in["loginMethod"].(string)
	_, named := in["institution"].(string)
	switch {
	case !named || !slices.Contains(institution["loginMethods"].([]string), method) || len(number) != 12:
		return http.StatusBadRequest, object{"error": "BAD_REQUEST"}
	case in["institution"] != institution["id"]:
		return http.StatusNotFound, object{"error": "UNKNOWN_INSTITUTION"}
	}
	id, p := rand.Text(), newSession(number) // rand.Text has 130 random bits
	s.sessions[id] = p
	return http.StatusCreated, object{"session": id, "turn": p.now()}
}

// with calls do with a session that lives.
func (s *source) with(id string, do func(*session) (int, object)) (int, object) {
	p, lives := s.sessions[id]
	if !lives {
		return http.StatusNotFound, object{"error": "UNKNOWN_SESSION"}
	}
	p.used = time.Now()
	return do(p)
}

func write(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
