package h264dec
import ("testing";"bytes")
func TestTmp(t *testing.T){
 d := newDecoder(t)
 sps := stream(t,320,240,1)[0]
 ok, err := d.Decode(bytes.Join(split(sps)[:2], nil))
 t.Log(ok, err)
 ok, err = d.Decode(bytes.Join(split(sps)[2:], nil))
 t.Log(ok, err)
 for _, sz := range [][2]int{{1280,720},{640,360},{1920,1080},{320,180},{360,640}} {
  t.Logf("%v %x", sz, split(stream(t,sz[0],sz[1],1)[0])[0])
 }
}
